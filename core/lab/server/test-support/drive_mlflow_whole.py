"""Logs a run's artifacts, registers what it made and loads it back, by MLflow's own client; prints what it saw as JSON.

The lab's address comes by MLFLOW_TRACKING_URI. Usage: drive_mlflow_whole.py WORK_FOLDER
"""

import json
import pathlib
import sys

import mlflow
from mlflow.tracking import MlflowClient

work = pathlib.Path(sys.argv[1])
client = MlflowClient()
seen = {}

mlflow.set_experiment("digits")
(work / "notes.txt").write_text("kept")
with mlflow.start_run() as run:
    mlflow.log_artifact(str(work / "notes.txt"))
    mlflow.log_text("weights", "model/weights.txt")
    mlflow.log_dict({"a": 1}, "config.json")
    run_id = run.info.run_id
seen["artifacts"] = [info.path for info in client.list_artifacts(run_id)]
seen["below"] = [info.path for info in client.list_artifacts(run_id, "model")]
seen["text"] = mlflow.artifacts.load_text(f"runs:/{run_id}/notes.txt")
seen["dict"] = mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/config.json")
client.create_registered_model("net")
version = client.create_model_version("net", f"runs:/{run_id}/model", run_id=run_id)
client.set_registered_model_alias("net", "champion", version.version)
loaded = pathlib.Path(mlflow.artifacts.download_artifacts("models:/net@champion", dst_path=str(work / "loaded")))
seen["loaded"] = (loaded / "weights.txt").read_text()

model = mlflow.initialize_logged_model(name="net")
client.log_model_artifacts(model.model_id, str(work / "loaded"))
mlflow.finalize_logged_model(model.model_id, "READY")
version = client.create_model_version("net", f"models:/{model.model_id}", model_id=model.model_id)
seen["uri"] = client.get_model_version_download_uri("net", version.version) == model.artifact_location
again = pathlib.Path(mlflow.artifacts.download_artifacts(f"models:/net/{version.version}", dst_path=str(work / "again")))
seen["again"] = (again / "weights.txt").read_text()
print(json.dumps(seen))
