from rest_framework.routers import SimpleRouter

from apps.recommendations.api import RecommendationViewSet

router = SimpleRouter()
router.register("recommendations", RecommendationViewSet, basename="recommendation")
urlpatterns = router.urls
