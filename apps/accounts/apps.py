from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "apps.accounts"

    def ready(self) -> None:
        from apps.accounts import reasons, sign_in
        from apps.jobs.errors import register_sentences

        register_sentences(reasons.SENTENCES)
        sign_in.listen()
