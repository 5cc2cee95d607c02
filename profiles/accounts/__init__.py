"""How allauth treats our accounts: adapters, ORCID, and what protects an account from being taken over."""
