"""A template that serves: its number of servers and its resource plan are parameters, its model an input."""

SCENARIO, EXECUTABLE = "petal-sorting", "petal-serve"
TEMPLATE = """\
apiVersion: ai.sap.com/v1alpha1
kind: ServingTemplate
metadata:
  name: {executable}
  labels:
    scenarios.ai.sap.com/id: {scenario}
    ai.sap.com/version: "{version}"
  annotations:
    scenarios.ai.sap.com/name: Petal sorting
    executables.ai.sap.com/name: Serve a petal classifier
    artifacts.ai.sap.com/petalmodel.kind: model
spec:
  inputs:
    parameters:
      - {{name: servers, type: string, default: "1"}}
      - {{name: plan, type: string, default: "starter"}}
    artifacts:
      - name: petalmodel
  template:
    apiVersion: serving.kserve.io/v1beta1
    metadata:
      labels: |
        ai.sap.com/resourcePlan: "{plan}"
    spec: |
      predictor:
        minReplicas: {{{{inputs.parameters.servers}}}}
        maxReplicas: 3
        containers:
        - name: kserve-container
          image: petals:1
          ports:
            - containerPort: 9001
              protocol: TCP
          command: ["/bin/sh", "-c"]
          args: ["exec serve"]
          env:
            - name: STORAGE_URI
              value: "{{{{inputs.artifacts.petalmodel}}}}"
"""
PLAN = "{{inputs.parameters.plan}}"


def text(
    *, executable: str = EXECUTABLE, label: str = "1.0.0", plan: str = PLAN, scenario: str = SCENARIO
) -> str:
    """A ServingTemplate. label: its version; plan: the resource plan it names."""
    return TEMPLATE.format(executable=executable, scenario=scenario, version=label, plan=plan)
