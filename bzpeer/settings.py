"""One settings file, read from the environment; the defaults are good for work on one machine."""

import os
import secrets
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from bzpeer.run.addresses import database_config, kombu_address, redis_py_address

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("BZPEER_VAR", BASE_DIR / "var"))


def flag(name: str, default: bool) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def words(name: str, default: str) -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


DEBUG = flag("DEBUG", False)
LOCAL = flag("BZPEER_LOCAL", "PUBLIC_URL" not in os.environ)  # one machine, plain http on loopback


def secret_key() -> str:
    """Return SECRET_KEY, or on a local machine one made once and kept in var/."""
    if key := os.environ.get("SECRET_KEY"):
        return key
    if not LOCAL:
        raise ImproperlyConfigured("Set SECRET_KEY: a long random text that stays the same.")
    path = VAR_DIR / "secret_key"
    new = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    key = secrets.token_urlsafe(50)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and (kept := path.read_text(encoding="ascii").strip()):
            return kept
        try:
            # Written whole under another name: nobody ever reads half a key.
            with os.fdopen(os.open(new, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as out:
                out.write(key)
            try:
                os.link(new, path)  # of two first starts at once, the second finds the first one's key
            except OSError:
                # It is there meanwhile; or it is empty, or the file system knows no links: put ours there.
                if not path.exists() or not path.read_text(encoding="ascii").strip():
                    new.replace(path)
        finally:
            new.unlink(missing_ok=True)
        return path.read_text(encoding="ascii").strip()
    except OSError:
        return key  # an unwritable folder: the key lives as long as this process


SECRET_KEY = secret_key()
if not LOCAL and not os.environ.get("CONTACT_EMAIL"):
    raise ImproperlyConfigured("Set CONTACT_EMAIL: people who find their record here must reach somebody.")
PUBLIC_URL = os.environ.get("PUBLIC_URL", f"http://127.0.0.1:{os.environ.get('PORT', '8000')}").rstrip("/")
ALLOWED_HOSTS = words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]" if LOCAL else "")
CSRF_TRUSTED_ORIGINS = [] if LOCAL else [PUBLIC_URL]
CONTACT_EMAIL = os.environ.get("CONTACT_EMAIL", "privacy@localhost" if LOCAL else "")

INSTALLED_APPS = [
    "bzpeer",
    "profiles",
    "trust",
    "graph",
    "works",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.orcid",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "bzpeer.lib.middleware.Headers",
    "bzpeer.lib.middleware.RetryReads",
    "bzpeer.lib.middleware.RefuseBadInput",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "profiles.accounts.sessions.SessionsMiddleware",
    "profiles.accounts.proof.ProofMiddleware",
]

ROOT_URLCONF = "bzpeer.urls"
WSGI_APPLICATION = "bzpeer.wsgi.application"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["bzpeer.lib.templatetags.bzpeer"],
            "context_processors": [
                # Public templates know no viewer: `request` is here for allauth, `user` only lazily.
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bzpeer.lib.context.site",
            ],
        },
    },
]

# --- Where facts live -------------------------------------------------------------------------

WEB = os.environ.get("BZPEER_ROLE") == "web"
DATABASES = {"default": database_config(os.environ.get("DATABASE_URL", "postgresql:///bzpeer"))}
DATABASES["default"].setdefault("OPTIONS", {})
if WEB:
    # A pool in web processes only: Celery closes it after every task.
    DATABASES["default"]["OPTIONS"]["pool"] = {"min_size": 1, "max_size": 8, "timeout": 2}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
# The pool, too, looks at a connection before it hands it out: a restarted server leaves it full of dead ones.
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
STATEMENT_TIMEOUT_MS = 5000 if WEB else 0
DATABASES["default"]["OPTIONS"].setdefault(
    "options", f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c idle_in_transaction_session_timeout=60000"
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHE_URL = os.environ.get("CACHE_URL", REDIS_URL)
CACHES = {
    "default": {
        "BACKEND": "bzpeer.lib.cache.ForgivingRedisCache",
        "LOCATION": redis_py_address(CACHE_URL),
        "KEY_PREFIX": "bzpeer",
        # A page waits for the cache no longer than for its own query.
        "OPTIONS": {"socket_connect_timeout": 0.2, "socket_timeout": 0.2, "retry": Retry(NoBackoff(), 0)},
    }
}
SESSION_ENGINE = "django.contrib.sessions.backends.db"

# --- Celery: a doorbell; the work to do is rows (works/models/mark.py) -----------------------------

CELERY_BROKER_URL = kombu_address(REDIS_URL)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 240
# Seconds of one drain of marks: none where a person waits for a command (works/services/marks.py).
DRAIN_SECONDS = 120 if os.environ.get("BZPEER_ROLE") == "worker" else None
CELERY_TASK_TIME_LIMIT = 300
CELERY_WORKER_MAX_TASKS_PER_CHILD = 500
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # kB
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 20
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 900,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "retry_policy": {"timeout": 2.0},
    # kombu otherwise tries for six seconds within the page that rings.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
}
CELERY_VISIBILITY_TIMEOUT = 900
CELERY_TASK_DEFAULT_QUEUE = "default"
# What an import leaves, and what the sources are asked, goes through queues of their own, so that it holds up
# neither a page nor a mail, nor one of them the other.
CELERY_TASK_ROUTES = {
    "profiles.tasks.send_outbox": {"queue": "mail"},
    "works.tasks.drain_*": {"queue": "bulk"},
    "works.sync.tasks.*": {"queue": "sync"},  # a source may take its time
    "graph.tasks.drain_collaborations": {"queue": "bulk"},
    "profiles.tasks.run_vouch_flow": {"queue": "bulk"},
    "profiles.tasks.recommend_to_active": {"queue": "bulk"},
}
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- Live sync: asking the sources about one record (works/sync/) ------------------------------------

SYNC_ADDRESSES = {
    "openalex": os.environ.get("SYNC_OPENALEX_URL", "https://api.openalex.org").rstrip("/"),
    "arxiv": os.environ.get("SYNC_ARXIV_URL", "https://export.arxiv.org/api/query").rstrip("/"),
    "crossref": os.environ.get("SYNC_CROSSREF_URL", "https://api.crossref.org").rstrip("/"),
    "orcid": os.environ.get("SYNC_ORCID_URL", "https://pub.orcid.org/v3.0").rstrip("/"),
    "ror": os.environ.get("SYNC_ROR_URL", "https://api.ror.org/v2").rstrip("/"),
}
# Sources want to reach whoever asks them; an address on this machine reaches nobody.
SYNC_CONTACT = os.environ.get("SYNC_CONTACT", "" if CONTACT_EMAIL.endswith("@localhost") else CONTACT_EMAIL)
SYNC_OPENALEX_KEY = os.environ.get("SYNC_OPENALEX_KEY", "")  # free; without it a few lists of works a day
SYNC_ROR_CLIENT_ID = os.environ.get("SYNC_ROR_CLIENT_ID", "")  # free; without it 50 questions in five minutes
# Seconds between two questions to a source, of all workers on all hosts together.
SYNC_SPACING = {
    "openalex": 0.1,
    "arxiv": 3.0,
    "crossref": 0.2,
    "orcid": 0.2,
    "ror": 0.2 if SYNC_ROR_CLIENT_ID else 6.0,
}
SYNC_LONGEST_TURN = 20.0  # seconds that a worker waits for its turn; for a longer wait the row waits
SYNC_TIMEOUTS = (5.0, 20.0, 60.0)  # seconds to connect, of silence, of a whole answer
SYNC_MAX_BYTES = 30_000_000
SYNC_ALLOW_LOOPBACK = flag("SYNC_ALLOW_LOOPBACK", False)  # tests and development only

# --- Measuring (manage.py evaluate) -------------------------------------------------------------------

# What apps above the command's own add to it, by name: a function that takes where to write.
EVALUATIONS = {"recommendations": "graph.evaluation.measure_recommendations"}

# --- People -------------------------------------------------------------------------------------

AUTH_USER_MODEL = "profiles.User"
# Addresses are unique whatever their case, by a constraint on lower(email) that the check cannot see.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
TESTING = flag("BZPEER_TESTING", False)
if TESTING:
    # Argon2 is slow on purpose; the tests that are about it set it themselves.
    PASSWORD_HASHERS.insert(0, "django.contrib.auth.hashers.MD5PasswordHasher")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
ACCOUNT_ADAPTER = "profiles.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "profiles.forms.SignupForm",
    "reset_password": "profiles.accounts.forms.ResetPasswordForm",
    "request_login_code": "profiles.accounts.forms.RequestLoginCodeForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_MODEL_EMAIL_FIELD = "email"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_CONFIRM_EMAIL_ON_GET = False
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "http" if LOCAL else "https"
ALLAUTH_TRUSTED_PROXY_COUNT = int(os.environ.get("TRUSTED_PROXY_COUNT", "0"))
# Ways in beside the password: a code by mail, passkeys and codes of an application, ORCID.
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 10
MFA_ADAPTER = "profiles.accounts.mfa.MfaAdapter"
MFA_FORMS = {
    "add_webauthn": "profiles.accounts.forms.AddPasskeyForm",
    "authenticate_webauthn": "profiles.accounts.forms.AuthenticatePasskeyForm",
    "login_webauthn": "profiles.accounts.forms.LoginPasskeyForm",
    "reauthenticate_webauthn": "profiles.accounts.forms.ReauthenticatePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "BZPEER"
MFA_TOTP_TOLERANCE = 1
# A further address may be added with a second factor, too: an unconfirmed one neither logs in nor blocks anybody.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = LOCAL
USERSESSIONS_TRACK_ACTIVITY = True  # by our own middleware, every few minutes
SOCIALACCOUNT_ADAPTER = "profiles.accounts.social.SocialAdapter"
SOCIALACCOUNT_FORMS = {"signup": "profiles.accounts.forms.OrcidSignupForm"}
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {
    "orcid": {
        "provider_class": "profiles.accounts.orcid.provider.OrcidProvider",
        "OAUTH_PKCE_ENABLED": True,
    }
}
# The sandbox is https://sandbox.orcid.org with https://pub.sandbox.orcid.org.
ORCID_OAUTH_URL = os.environ.get("ORCID_OAUTH_URL", "https://orcid.org").rstrip("/")
ORCID_API_URL = os.environ.get("ORCID_API_URL", "https://pub.orcid.org").rstrip("/")
ORCID_TIMEOUTS = (5.0, 8.0, 20.0)  # seconds to connect, of silence, of a whole answer
ORCID_CLIENT_ID = os.environ.get("ORCID_CLIENT_ID", "")
ORCID_CLIENT_SECRET = os.environ.get("ORCID_CLIENT_SECRET", "")
# Whose identity proofing counts (profiles/services/identity_proofing.py): a log-in provider of allauth and the issuer it stands
# for, as "federation=https://proxy.example.org". Nothing counts by default.
IDENTITY_ISSUERS = dict(pair.split("=", 1) for pair in words("IDENTITY_ISSUERS", "") if "=" in pair)
LOGIN_REDIRECT_URL = "/me/"
LOGOUT_REDIRECT_URL = "/"
LOGIN_URL = "/accounts/login/"

# Mail is written as rows (profiles.OutgoingMail) and sent by a worker: no page waits for SMTP.
EMAIL_BACKEND = "profiles.mail.OutboxBackend"
DELIVERY_BACKEND = os.environ.get(
    "DELIVERY_BACKEND",
    "django.core.mail.backends.filebased.EmailBackend"
    if LOCAL
    else "django.core.mail.backends.smtp.EmailBackend",
)
EMAIL_FILE_PATH = VAR_DIR / "mail"
EMAIL_HOST = os.environ.get("EMAIL_HOST", "localhost")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER = os.environ.get("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_PASSWORD", "")
EMAIL_USE_TLS = flag("EMAIL_USE_TLS", False)
EMAIL_TIMEOUT = 20
# What a mail provider tells of bounces and complaints is signed with this: profiles/services/mail_events.py.
MAIL_WEBHOOK_SECRET = os.environ.get("MAIL_WEBHOOK_SECRET", "")
DEFAULT_FROM_EMAIL = os.environ.get("DEFAULT_FROM_EMAIL", "BZPEER <noreply@localhost>")

# --- Language, time, static files -----------------------------------------------------------------

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
DATE_FORMAT = "j M Y"
USE_THOUSAND_SEPARATOR = False

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG or TESTING
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEBUG or TESTING
MEDIA_ROOT = VAR_DIR / "media"

# --- Security ---------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        # The log-in form leads on to ORCID, which browsers count as the form's own address.
        "form-action": [SELF, *([ORCID_OAUTH_URL] if ORCID_CLIENT_ID else [])],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["default"],
    }
}
# The admin's own scripts set innerHTML; it keeps the policy but for trusted types.
CSP_EXCEPT_TRUSTED_TYPES = ("/admin/",)
SECURE_REFERRER_POLICY = "strict-origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "bzpeer.lib.errors.csrf_failure"
if not LOCAL:
    SECURE_SSL_REDIRECT = flag("SECURE_SSL_REDIRECT", True)
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 63_072_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": os.environ.get("LOG_LEVEL", "INFO")},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},  # its lines of information hold whole addresses, keys and all
    },
}
