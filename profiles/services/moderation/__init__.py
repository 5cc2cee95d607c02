"""What moderators do at /moderation/: queues, the claim desk, revocation by two, answers, spam, the audit trail."""
