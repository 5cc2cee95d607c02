"""Pure functions: how strong a tie is, what a slice shows, where it is drawn. No ORM, no clock."""
