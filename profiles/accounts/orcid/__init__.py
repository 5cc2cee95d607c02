"""Log-in by ORCID: allauth's provider with addresses of our choice and answers that may be anything."""
