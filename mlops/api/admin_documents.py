"""What operations on secrets answer, as the documentation tells it and the tests hold it against answers."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from mlops.api.documents import Answer, Text


class Said(Answer):
    """That it was done."""

    message: str


class SaidById(Said):
    """That it was done, and to what."""

    id: str


class SaidByName(Said):
    """That it was done, and to what."""

    name: str


class GenericSecretLabel(Answer):
    """A label of a generic secret."""

    key: str = Field(max_length=63)
    value: Text


class GenericSecret(Answer):
    """BckndGenericSecretDetails: all that is ever told of a secret."""

    name: str
    createdAt: AwareDatetime
    labels: list[GenericSecretLabel]
    resourceGroupSecretsSyncStatus: dict[str, bool]


class GenericSecrets(Answer):
    """Generic secrets of one place."""

    count: int
    resources: list[GenericSecret]


class DockerRegistrySecret(Answer):
    """BcknddockerRegistrySecretStatus: all that is ever told of one."""

    name: str


class DockerRegistrySecrets(Answer):
    """Docker secrets of the workspace."""

    count: int
    resources: list[DockerRegistrySecret]


class ObjectStore(Answer):
    """BckndobjectStoreSecretStatus. metadata: type, place and flags under the contract's keys, as texts."""

    name: str
    metadata: dict[str, str]


class ObjectStores(Answer):
    """Object stores of the group."""

    count: int
    resources: list[ObjectStore]
