"""Everything that runs BZPEER on one machine: addresses, servers, supervision, demo and test servers."""
