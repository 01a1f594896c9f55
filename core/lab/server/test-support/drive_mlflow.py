"""Drives a lab by MLflow's own client and prints what it saw as JSON. Its address comes by MLFLOW_TRACKING_URI."""

import json
import math
import os
import time

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

client = MlflowClient()
seen = {}


def refusal(call):
    try:
        call()
    except MlflowException as error:
        return [error.error_code, error.message]
    return None


def ids(runs):
    return [run.info.run_name for run in runs]


def find(filter_string, **more):
    return ids(mlflow.search_runs(experiment_names=["digits"], filter_string=filter_string, output_format="list", **more))


experiment = mlflow.set_experiment("digits")
seen["experiment"] = [experiment.name, mlflow.set_experiment("digits").experiment_id == experiment.experiment_id]

with mlflow.start_run(run_name="first") as run:
    first = run.info.run_id
    mlflow.log_param("lr", 0.1)
    mlflow.log_params({"batch size": 32, "optimizer": "adam"})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"accuracy": 0.9, "nothing": math.nan, "everything": math.inf}, step=4)
    mlflow.set_tag("team", "vision")
    mlflow.set_tags({"stage": "draft", "note": "it's 50% done"})
    mlflow.delete_tag("stage")
    seen["changed"] = refusal(lambda: mlflow.log_param("lr", 0.2))
    mlflow.log_param("lr", 0.1)
    with mlflow.start_run(run_name="nested", nested=True):
        mlflow.log_metric("accuracy", 0.5)

now = int(time.time() * 1000)
with mlflow.start_run(run_name="second") as run:
    second = run.info.run_id
    points = [Metric("loss", float(step % 7), now + step, step) for step in range(1000)]
    client.log_batch(second, metrics=points[:900], params=[Param("lr", "0.5")], tags=[RunTag("team", "speech")])
    client.log_batch(second, metrics=points[900:])
    client.log_batch(second, metrics=[Metric("far", 1.5, 2**62 + 1, 2**53 + 1)])
    dataset = Dataset("cifar", "d1", "local", "{}", schema="{}")
    client.log_inputs(second, datasets=[DatasetInput(dataset, [InputTag("mlflow.data.context", "train")])])
    seen["badKey"] = refusal(lambda: client.log_batch(second, metrics=[Metric("a", 1.0, 0, 0)], params=[Param("b", "x" * 6001)]))

got = client.get_run(first)
seen["params"] = got.data.params
seen["metrics"] = {key: repr(value) for key, value in got.data.metrics.items()}
seen["tags"] = {key: got.data.tags[key] for key in ("team", "note", "mlflow.runName")}
seen["staged"] = "stage" in got.data.tags
seen["info"] = [got.info.status, got.info.lifecycle_stage, got.info.end_time >= got.info.start_time]
seen["history"] = [[point.step, point.value] for point in client.get_metric_history(first, "loss")]
seen["long"] = len(client.get_metric_history(second, "loss"))
far = client.get_metric_history(second, "far")[0]
seen["far"] = [far.step == 2**53 + 1, far.timestamp == 2**62 + 1]
inputs = client.get_run(second).inputs.dataset_inputs
seen["inputs"] = [[one.dataset.name, one.dataset.digest, one.tags[0].value] for one in inputs]

seen["found"] = [
    find("metrics.loss < 0.5 AND params.`batch size` = '32'"),
    find("tags.team ILIKE 'SP%' and attributes.status = 'FINISHED'"),
    find("metrics.accuracy > 0.1", order_by=["metrics.accuracy DESC"]),
    find(f"attributes.run_id IN ('{first}', '{second}')", order_by=["start_time"]),
    find("params.lr IS NULL"),
    find('tags.note = "it\'s 50% done"'),
    find("dataset.name = 'cifar'"),
]
seen["badFilter"] = refusal(lambda: find("metrics.loss <> 3"))
pages = [client.search_runs([experiment.experiment_id], max_results=2)]
pages.append(client.search_runs([experiment.experiment_id], max_results=2, page_token=pages[0].token))
seen["pages"] = [len(ids(page)) for page in pages] + [pages[1].token]

client.update_run(second, status="FAILED", name="renamed")
client.delete_run(second)
seen["deleted"] = ids(client.search_runs([experiment.experiment_id], run_view_type=ViewType.DELETED_ONLY))
client.restore_run(second)
seen["restored"] = [client.get_run(second).info.run_name, client.get_run(second).info.status]

client.set_experiment_tag(experiment.experiment_id, "owner", "kim")
client.rename_experiment(experiment.experiment_id, "numbers")
seen["experiments"] = [[one.name, one.tags] for one in client.search_experiments(filter_string="tags.owner = 'kim'")]
client.delete_experiment(experiment.experiment_id)
client.restore_experiment(experiment.experiment_id)
seen["nobody"] = [client.get_experiment_by_name("nobody"), refusal(lambda: client.get_run("f" * 32))]

with mlflow.start_run() as run:
    model = mlflow.initialize_logged_model(name="net", params={"depth": "3"}, tags={"kind": "cnn"}, model_type="classifier")
    mlflow.log_metric("accuracy", 0.7, model_id=model.model_id)
    mlflow.log_outputs(models=[mlflow.entities.LoggedModelOutput(model.model_id, 3)])
    outputs = [[one.model_id == model.model_id, one.step] for one in client.get_run(run.info.run_id).outputs.model_outputs]
client.set_logged_model_tags(model.model_id, {"kind": "vit", "size": "s"})
client.delete_logged_model_tag(model.model_id, "size")
model = mlflow.finalize_logged_model(model.model_id, "READY")
models = mlflow.search_logged_models(experiment_ids=[model.experiment_id], filter_string="metrics.accuracy > 0.5", output_format="list")
seen["model"] = [model.name, str(model.status), model.params, model.tags["kind"], [one.value for one in models[0].metrics], outputs]

print(json.dumps(seen))
