"""A hasher that counts its work: who has an account must not show by how much of it is done."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class CountingHasher(PBKDF2PasswordHasher):
    """Quick, and counts every password that it works through, to make a hash or to check one."""

    algorithm = "counting"
    iterations = 1
    worked = 0

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        CountingHasher.worked += 1
        return super().encode(password, salt, iterations)

    def harden_runtime(self, password: str, encoded: str) -> None:
        """Every hash is as hard as the next."""
