from rest_framework.routers import SimpleRouter

from apps.explainability.api import ExplanationViewSet

router = SimpleRouter(use_regex_path=False)
router.register("explanations", ExplanationViewSet, basename="explanation")
urlpatterns = router.urls
