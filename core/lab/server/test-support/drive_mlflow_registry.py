"""Drives a lab's registry and artifacts by MLflow's own client and prints what it saw as JSON.

The lab's address comes by MLFLOW_TRACKING_URI. Usage: drive_mlflow_registry.py WORK_FOLDER
"""

import json
import os
import pathlib
import sys

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
from mlflow.tracking import MlflowClient
from requests import HTTPError

RUN = "a" * 32
ROOT = f"mlflow-artifacts:/0/{RUN}/artifacts"

work = pathlib.Path(sys.argv[1])
client = MlflowClient()
seen = {}


def refusal(call):
    try:
        call()
    except MlflowException as error:
        return [error.error_code, error.message]
    except HTTPError as error:
        return [error.response.status_code, error.response.json()["error_code"]]
    return None


def names(found):
    return [one.name for one in found]


def numbers(found):
    return [int(one.version) for one in found]


def files(infos):
    return [[info.path, info.is_dir, info.file_size] for info in infos]


# Artifacts, by their URI.
local = work / "local"
(local / "model" / "data").mkdir(parents=True)
(local / "model" / "MLmodel").write_text("flavors: {}\n")
(local / "model" / "data" / "weights 1.bin").write_bytes(bytes(range(256)) * 40_000)
(local / "größe.txt").write_text("grün")
repository = get_artifact_repository(ROOT)
seen["nothing"] = repository.list_artifacts()
repository.log_artifacts(str(local))
repository.log_artifact(str(local / "größe.txt"), "extra/deep")
seen["files"] = [files(repository.list_artifacts(path)) for path in (None, "model", "extra/deep", "größe.txt", "no")]
back = pathlib.Path(mlflow.artifacts.download_artifacts(artifact_uri=ROOT, dst_path=str(work / "back")))
seen["same"] = [
    (back / path).read_bytes() == (local / path).read_bytes()
    for path in ("model/MLmodel", "model/data/weights 1.bin", "größe.txt")
]
seen["text"] = mlflow.artifacts.load_text(f"{ROOT}/extra/deep/größe.txt")
# A client that is told to send in parts falls back to one piece.
os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "true"
os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = "1"
repository.log_artifact(str(local / "model" / "MLmodel"), "parts")
del os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"]
seen["parts"] = files(repository.list_artifacts("parts"))
repository.delete_artifacts("extra")
seen["deleted"] = [files(repository.list_artifacts("extra")), refusal(lambda: repository.delete_artifacts("extra"))]
seen["missing"] = refusal(lambda: mlflow.artifacts.load_text(f"{ROOT}/no/such.txt"))

# Models.
client.create_registered_model("net", tags={"task": "vision"}, description="first")
seen["twice"] = refusal(lambda: client.create_registered_model("net"))
client.create_registered_model("other")
client.update_registered_model("net", "second")
client.set_registered_model_tag("net", "team", "edge")
client.delete_registered_model_tag("net", "task")
client.rename_registered_model("net", "network")
model = client.get_registered_model("network")
seen["model"] = [model.name, model.description, model.tags]
seen["models"] = [
    names(client.search_registered_models()),
    names(client.search_registered_models("name ILIKE 'NET%' AND tags.team = 'edge'")),
    names(client.search_registered_models(order_by=["name DESC"], max_results=1)),
]
page = client.search_registered_models(max_results=1)
seen["pages"] = [names(page), names(client.search_registered_models(max_results=1, page_token=page.token))]
seen["badFilter"] = refusal(lambda: client.search_registered_models("name ~ 'x'"))

# Versions.
for number in (1, 2, 3):
    client.create_model_version("network", f"{ROOT}/model", run_id=RUN, tags={"n": str(number)}, description=f"v{number}")
seen["local"] = refusal(lambda: client.create_model_version("network", "/etc/passwd"))
client.update_model_version("network", "1", "changed")
client.set_model_version_tag("network", "1", "precision", "fp16")
client.delete_model_version_tag("network", "1", "n")
version = client.get_model_version("network", "1")
seen["version"] = [version.description, version.tags, version.status, version.run_id == RUN, version.source == f"{ROOT}/model"]
seen["uri"] = client.get_model_version_download_uri("network", "1") == f"{ROOT}/model"
seen["versions"] = [
    numbers(client.search_model_versions("name = 'network'", order_by=["version_number ASC"])),
    numbers(client.search_model_versions(f"run_id IN ('{RUN}') AND version_number > 1")),
    numbers(client.search_model_versions("tags.n = '3'")),
]

# Stages and aliases.
client.transition_model_version_stage("network", "1", "Production")
moved = client.transition_model_version_stage("network", "2", "production", archive_existing_versions=True)
seen["stages"] = [moved.current_stage, client.get_model_version("network", "1").current_stage]
seen["latest"] = numbers(client.get_latest_versions("network", ["Production"])), numbers(client.get_latest_versions("network"))
client.set_registered_model_alias("network", "champion", "1")
client.set_registered_model_alias("network", "champion", "2")
named = client.get_model_version_by_alias("network", "champion")
seen["alias"] = [int(named.version), list(named.aliases), {key: int(value) for key, value in client.get_registered_model("network").aliases.items()}]
loaded = pathlib.Path(mlflow.artifacts.download_artifacts("models:/network@champion", dst_path=str(work / "loaded")))
seen["loaded"] = sorted(path.name for path in loaded.rglob("*") if path.is_file() and path.name != "registered_model_meta")
copied = client.copy_model_version("models:/network@champion", "other")
seen["copied"] = [copied.name, int(copied.version), client.get_model_version_download_uri("other", copied.version) == f"{ROOT}/model"]
client.delete_registered_model_alias("network", "champion")
seen["noAlias"] = refusal(lambda: client.get_model_version_by_alias("network", "champion"))

# Prompts live beside models.
prompt = mlflow.genai.register_prompt("ask", "Say {{word}}")
seen["prompt"] = [prompt.version, prompt.template, "ask" in names(client.search_registered_models())]

client.delete_model_version("network", "3")
seen["gone"] = refusal(lambda: client.get_model_version("network", "3"))
client.delete_registered_model("network")
seen["left"] = names(client.search_registered_models())
print(json.dumps(seen))
