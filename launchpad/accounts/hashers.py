"""How secrets that a machine made are hashed, apart from the passwords that people choose."""

from django.contrib.auth.hashers import PBKDF2PasswordHasher


class MachineSecretHasher(PBKDF2PasswordHasher):
    """For secrets of 384 random bits: nobody guesses one of them, however fast the hash.

    A million rounds make up for the few bits of a password. Here they would only let a client wait half a
    second for every token, and let anyone who sends wrong secrets keep the server busy.
    """

    algorithm = "pbkdf2_sha256_machine"
    iterations = 1000
