"""Every operation of the AI API, in one table: address, success, answer and place.

place: `group` needs the header AI-Resource-Group; `default` takes the group `default` without it; `scoped`
is the group's or, with AI-Tenant-Scope, the workspace's; `workspace` is the whole workspace's; `token`
belongs to no place; `public` needs no token.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TABLE = """
GET    /lm/scenarios                                        200 Scenarios          group
GET    /lm/scenarios/{scenario}                             200 AiScenario         group
GET    /lm/scenarios/{scenario}/executables                 200 Executables        group
GET    /lm/scenarios/{scenario}/executables/{executable}    200 AiExecutable       group
GET    /lm/scenarios/{scenario}/versions                    200 Versions           group
GET    /lm/scenarios/{scenario}/models                      200 Models             group
POST   /lm/artifacts                                        201 ArtifactCreated    group
GET    /lm/artifacts                                        200 Artifacts          group
GET    /lm/artifacts/{artifact}                             200 AiArtifact         group
GET    /lm/artifacts/$count                                 200 integer            group
GET    /lm/configurations                                   200 Configurations     group
POST   /lm/configurations                                   201 Done               group
GET    /lm/configurations/{configuration}                   200 AiConfiguration    group
GET    /lm/configurations/$count                            200 integer            group
GET    /lm/executions                                       200 Executions         group
POST   /lm/executions                                       202 ExecutionCreated   group
PATCH  /lm/executions                                       202 ExecutionsChanged  group
GET    /lm/executions/{execution}                           200 AiExecution        group
PATCH  /lm/executions/{waiting}                             202 Done               group
DELETE /lm/executions/{execution}                           202 Done               group
GET    /lm/executions/$count                                200 integer            group
GET    /lm/executions/{execution}/logs                      200 Log                group
GET    /lm/metrics                                          200 Metrics            group
PATCH  /lm/metrics                                          204 -                  group
DELETE /lm/metrics                                          200 Done               group
GET    /lm/deployments                                      200 Deployments        group
POST   /lm/deployments                                      202 DeploymentCreated  group
PATCH  /lm/deployments                                      202 DeploymentsChanged group
GET    /lm/deployments/{deployment}                         200 AiDeployment       group
PATCH  /lm/deployments/{serving}                            202 Done               group
DELETE /lm/deployments/{deployment}                         202 Done               group
GET    /lm/deployments/$count                               200 integer            group
GET    /lm/deployments/{deployment}/logs                    200 Log                group
GET    /lm/executionSchedules                               200 ExecutionSchedules group
POST   /lm/executionSchedules                               202 Done               group
GET    /lm/executionSchedules/{schedule}                    200 AiExecutionSchedule group
PATCH  /lm/executionSchedules/{schedule}                    202 Done               group
DELETE /lm/executionSchedules/{schedule}                    202 Done               group
GET    /lm/executionSchedules/$count                        200 integer            group
GET    /lm/meta                                             200 Meta               token
POST   /admin/resourceGroups                                202 ResourceGroupCreated workspace
GET    /admin/resourceGroups                                200 ResourceGroups     workspace
GET    /admin/resourceGroups/{group}                        200 ResourceGroup      workspace
DELETE /admin/resourceGroups/{group}                        202 Done               workspace
PATCH  /admin/resourceGroups/{group}                        202 -                  workspace
POST   /admin/objectStoreSecrets                            202 Said               default
GET    /admin/objectStoreSecrets                            200 ObjectStoreSecrets default
GET    /admin/objectStoreSecrets/{store}                    200 ObjectStoreSecret  default
DELETE /admin/objectStoreSecrets/{store}                    202 Done               default
PATCH  /admin/objectStoreSecrets/{store}                    202 Done               default
GET    /admin/dockerRegistrySecrets/{registry}              200 DockerSecret       workspace
DELETE /admin/dockerRegistrySecrets/{registry}              202 Done               workspace
PATCH  /admin/dockerRegistrySecrets/{registry}              202 Done               workspace
POST   /admin/dockerRegistrySecrets                         202 Said               workspace
GET    /admin/dockerRegistrySecrets                         200 DockerSecrets      workspace
POST   /admin/secrets                                       200 Named              scoped
GET    /admin/secrets                                       200 Secrets            scoped
GET    /admin/secrets/{secret}                              200 Secret             scoped
PATCH  /admin/secrets/{secret}                              200 Named              scoped
DELETE /admin/secrets/{secret}                              200 Said               scoped
POST   /admin/repositories                                  200 Done               workspace
GET    /admin/repositories                                  200 Repositories       workspace
GET    /admin/repositories/{repository}                     200 Repository         workspace
PATCH  /admin/repositories/{repository}                     200 Done               workspace
DELETE /admin/repositories/{unused_repository}              200 Done               workspace
POST   /admin/applications                                  200 Done               workspace
GET    /admin/applications                                  200 Applications       workspace
GET    /admin/applications/{application}/status             200 ApplicationStatus  workspace
PATCH  /admin/applications/{application}                    200 Done               workspace
GET    /admin/applications/{application}                    200 Application        workspace
DELETE /admin/applications/{application}                    200 Done               workspace
POST   /admin/applications/{application}/refresh            202 Done               workspace
GET    /analytics/kpis                                      200 Kpis               workspace
PUT    /lm/dataset/files/{new_file}                         201 FileCreated        group
DELETE /lm/dataset/files/{file}                             204 -                  group
GET    /lm/dataset/files/{file}                             200 bytes              group
PATCH  /admin/resources/nodes                               200 Said               workspace
GET    /admin/resources/nodes                               200 Nodes              workspace
GET    /admin/resources/instanceTypes                       200 InstanceTypes      workspace
GET    /admin/services                                      200 Services           workspace
GET    /admin/services/{service}                            404 -                  workspace
GET    /admin/resourceQuota/resourceGroups                  200 Quota              workspace
GET    /admin/resourceQuota/executables                     200 Quota              workspace
GET    /admin/resourceQuota/applications                    200 Quota              workspace
GET    /admin/resourceQuota/repositories                    200 Quota              workspace
GET    /admin/resourceQuota/secrets                         200 Quota              scoped
GET    /admin/resourceQuota/dockerRegistrySecrets           200 Quota              workspace
GET    /admin/resourceQuota/deployments                     200 DeploymentQuota    workspace
GET    /admin/tenantInfo                                    200 TenantInfo         workspace
"""
# Called by clients without standing in the specification.
MORE = """
GET    /lm/meta/versions                                    200 MetaVersions       token
GET    /lm/healthz                                          200 Health             token
POST   /lm/configurations/{configuration}/executions        202 ExecutionCreated   group
POST   /lm/configurations/{served}/deployments              202 DeploymentCreated  group
"""


@dataclass(frozen=True)
class Operation:
    """One line of the table. shape: "" for an empty body, "integer" for a bare number, "bytes" for a file."""

    method: str
    path: str
    success: int
    shape: str
    place: str

    @property
    def name(self) -> str:
        """How tests call it."""
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET"

    @property
    def arguments(self) -> list[str]:
        """Names in its path."""
        return re.findall(r"{(\w+)}", self.path)


def _read(table: str) -> list[Operation]:
    found = []
    for line in table.strip().splitlines():
        method, path, success, shape, place = line.split()
        found.append(Operation(method, path, int(success), shape.replace("-", ""), place))
    return found


SPECIFIED = _read(TABLE)
OPERATIONS = SPECIFIED + _read(MORE)
assert len(SPECIFIED) == 89
