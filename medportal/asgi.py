"""The web process' entry point."""

import os
import warnings

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medportal.settings")
# WhiteNoise hands files over synchronously; Django then reads them whole, which is meant here.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
application = get_asgi_application()
