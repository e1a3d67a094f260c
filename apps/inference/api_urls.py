from rest_framework.routers import SimpleRouter

from apps.inference.api import ModelViewSet

router = SimpleRouter()
router.register("models", ModelViewSet, basename="model")
urlpatterns = router.urls
