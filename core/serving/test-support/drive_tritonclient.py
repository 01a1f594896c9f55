"""Drives a server of the fake models by the official client; prints one JSON document of what it saw.

Usage: drive_tritonclient.py HTTP_HOST_PORT GRPC_HOST_PORT TOKEN
"""

import json
import sys

import numpy as np
import tritonclient.grpc as triton_grpc
import tritonclient.http as triton_http
from tritonclient.utils import InferenceServerException

TYPES = {
    "BOOL": np.array([[True, False, True]]),
    "UINT8": np.array([[0, 255]], dtype=np.uint8),
    "UINT16": np.array([[0, 65535]], dtype=np.uint16),
    "UINT32": np.array([[0, 2**32 - 1]], dtype=np.uint32),
    "UINT64": np.array([[0, 2**64 - 1]], dtype=np.uint64),
    "INT8": np.array([[-128, 127]], dtype=np.int8),
    "INT16": np.array([[-32768, 32767]], dtype=np.int16),
    "INT32": np.array([[-(2**31), 2**31 - 1]], dtype=np.int32),
    "INT64": np.array([[-(2**63), 2**63 - 1]], dtype=np.int64),
    "FP16": np.array([[0.1, -65504.0]], dtype=np.float16),
    "FP32": np.linspace(-1, 1, 20_000, dtype=np.float32).reshape(100, 200),
    "FP64": np.array([[0.1, 1e300]]),
    "BYTES": np.array([[b"plain", "grün".encode(), b""]], dtype=np.object_),
}


def error_of(call):
    try:
        call()
    except InferenceServerException as error:
        return str(error)
    raise AssertionError("expected an InferenceServerException")


def echo(module, client, headers, datatype, values, **how):
    model = f"echo-{datatype.lower()}"
    tensor = module.InferInput("x", list(values.shape), datatype)
    if module is triton_http:
        tensor.set_data_from_numpy(values, binary_data=how.get("binary", True))
        outputs = [module.InferRequestedOutput("y", binary_data=how["binary"])] if "binary" in how else None
    else:
        tensor.set_data_from_numpy(values)
        outputs = [module.InferRequestedOutput("y")]
    # The client writes into the headers it is given.
    result = client.infer(model, [tensor], outputs=outputs, request_id="q7", headers=dict(headers))
    back = result.as_numpy("y")
    if datatype == "BYTES" and not how.get("binary", True):
        back = np.array([[text.encode() for text in row] for row in back], dtype=np.object_)
    assert back.shape == values.shape, (datatype, how, back.shape)
    assert np.array_equal(back, values), (datatype, how, back)
    return 1


def drive(module, client, headers, is_http):
    seen = {
        "live": client.is_server_live(headers=headers),
        "ready": client.is_server_ready(headers=headers),
        "modelReady": client.is_model_ready("pair", headers=headers),
        "metadata": as_json(client.get_server_metadata(headers=headers)),
        "model": as_json(client.get_model_metadata("pair", headers=headers)),
    }
    count = 0
    for datatype, values in TYPES.items():
        count += echo(module, client, headers, datatype, values)
        if is_http:
            count += echo(module, client, headers, datatype, values, binary=True)
            count += echo(module, client, headers, datatype, values, binary=False)
    seen["echoes"] = count
    client.unload_model("pair", headers=headers)
    seen["unloaded"] = client.is_model_ready("pair", headers=headers)
    seen["index"] = [
        entry for entry in entries(client.get_model_repository_index(headers=headers)) if entry["name"] == "pair"
    ]
    client.load_model("pair", headers=headers)
    seen["loaded"] = client.is_model_ready("pair", headers=headers)
    statistics = as_json(client.get_inference_statistics("echo-fp32", headers=headers))
    seen["inferences"] = int(statistics["model_stats"][0]["inference_count"])
    wrong = module.InferInput("x", [1, 1], "FP64")
    wrong.set_data_from_numpy(np.array([[1.0]]))
    seen["wrongDatatype"] = error_of(lambda: client.infer("echo-fp32", [wrong], headers=dict(headers)))
    seen["unknownModel"] = error_of(lambda: client.infer("nobody", [wrong], headers=dict(headers)))
    seen["noToken"] = error_of(lambda: client.get_server_metadata())
    return seen


def as_json(message):
    if isinstance(message, (dict, list)):
        return message
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(message, preserving_proto_field_name=True)


def entries(index):
    found = as_json(index)
    return found if isinstance(found, list) else found["models"]


def main():
    http_url, grpc_url, token = sys.argv[1:]
    headers = {"authorization": f"Bearer {token}"}
    http = triton_http.InferenceServerClient(http_url)
    grpc = triton_grpc.InferenceServerClient(grpc_url)
    seen = {
        "http": drive(triton_http, http, headers, True),
        "grpc": drive(triton_grpc, grpc, headers, False),
    }
    http.close()
    grpc.close()
    json.dump(seen, sys.stdout)


main()
