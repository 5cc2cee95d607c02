"""Members who speak for an institution, and what they assert: who may (requests), of whom (sheet), and the effect."""
