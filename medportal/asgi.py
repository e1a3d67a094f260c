"""ASGI entry point of the web process."""

import os
import warnings

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "medportal.settings")
# WhiteNoise serves files synchronously; that Django then reads them whole is intended.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
django.setup(set_prefix=False)

from apps.imaging.dicomweb.direct_frames import DirectFrames  # noqa: E402
from medportal.web import PooledHandler, reuse_large_buffers  # noqa: E402

reuse_large_buffers()
application = DirectFrames(PooledHandler())
