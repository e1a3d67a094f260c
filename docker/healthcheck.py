"""HEALTHCHECK of the web image: whether the process answers, asked under a host name that it serves."""

import os
import urllib.request

host = os.environ.get("MEDPORTAL_HOSTS", "localhost").split(",")[0].lstrip(".")
request = urllib.request.Request("http://127.0.0.1:8000/healthz", headers={"Host": host})
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=5)
