"""Live sync: ask OpenAlex, arXiv, Crossref, ORCID and ROR about one record now, politely, and load what they say."""
