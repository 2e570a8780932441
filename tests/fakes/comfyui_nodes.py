# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of the fake ComfyUI, and the checks of a graph before it is queued.

Source: ComfyUI 0.3.64, run on loopback on 2026-11-28, and its `nodes_hunyuan3d.py` of 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

CHECKPOINTS = [
    "hunyuan3d-dit-v2-mv_fp16.safetensors",
    "hunyuan3d-dit-v2_fp16.safetensors",
    "hunyuan_3d_v2.1.safetensors",
]
HUGE = 0xFFFFFFFFFFFFFFFF
Spec = Mapping[str, Any]


def _int(default: int, low: int, high: int, **more: Any) -> list[Any]:
    return ["INT", {"default": default, "min": low, "max": high, **more}]


def _float(default: float, low: float, high: float, step: float = 0.01) -> list[Any]:
    return ["FLOAT", {"default": default, "min": low, "max": high, "step": step}]


def _node(
    required: Mapping[str, Any],
    outputs: tuple[str, ...] = (),
    optional: Mapping[str, Any] | None = None,
    *,
    is_output: bool = False,
    **hidden: str,
) -> dict[str, Any]:
    groups = {"required": dict(required), **({"optional": dict(optional)} if optional else {})}
    return {
        "input": {**groups, **({"hidden": hidden} if hidden else {})},
        "input_order": {name: list(part) for name, part in groups.items()},
        "output": list(outputs),
        "output_name": list(outputs),
        "output_node": is_output,
    }


NODES: dict[str, dict[str, Any]] = {
    "ImageOnlyCheckpointLoader": _node(
        {"ckpt_name": [CHECKPOINTS, {"tooltip": "The file of the model."}]},
        ("MODEL", "CLIP_VISION", "VAE"),
    ),
    "ModelSamplingAuraFlow": _node(
        {"model": ["MODEL"], "shift": _float(1.73, 0.0, 100.0)}, ("MODEL",)
    ),
    "LoadImage": _node({"image": [[], {"image_upload": True}]}, ("IMAGE", "MASK")),
    "CLIPVisionLoader": _node({"clip_name": [["clip_vision_g.safetensors"]]}, ("CLIP_VISION",)),
    "CLIPVisionEncode": _node(
        {"clip_vision": ["CLIP_VISION"], "image": ["IMAGE"], "crop": [["center", "none"]]},
        ("CLIP_VISION_OUTPUT",),
    ),
    "Hunyuan3Dv2Conditioning": _node(
        {"clip_vision_output": ["CLIP_VISION_OUTPUT"]}, ("CONDITIONING", "CONDITIONING")
    ),
    "Hunyuan3Dv2ConditioningMultiView": _node(
        {},
        ("CONDITIONING", "CONDITIONING"),
        {view: ["CLIP_VISION_OUTPUT"] for view in ("front", "left", "back", "right")},
    ),
    "EmptyLatentHunyuan3Dv2": _node(
        {"resolution": _int(3072, 1, 8192), "batch_size": _int(1, 1, 4096)}, ("LATENT",)
    ),
    "KSampler": _node(
        {
            "model": ["MODEL"],
            "seed": _int(0, 0, HUGE, control_after_generate=True),
            "steps": _int(20, 1, 10_000),
            "cfg": _float(8.0, 0.0, 100.0, 0.1),
            "sampler_name": [["euler", "heun", "dpmpp_2m"]],
            "scheduler": [["simple", "normal", "karras"]],
            "positive": ["CONDITIONING"],
            "negative": ["CONDITIONING"],
            "latent_image": ["LATENT"],
            "denoise": _float(1.0, 0.0, 1.0),
        },
        ("LATENT",),
    ),
    "VAEDecodeHunyuan3D": _node(
        {
            "samples": ["LATENT"],
            "vae": ["VAE"],
            "num_chunks": _int(8000, 1000, 500_000),
            "octree_resolution": _int(256, 16, 512),
        },
        ("VOXEL",),
    ),
    # A newer node, whose choices are among its options.
    "VoxelToMesh": _node(
        {
            "voxel": ["VOXEL"],
            "algorithm": ["COMBO", {"options": ["surface net", "basic"]}],
            "threshold": _float(0.6, -1.0, 1.0),
        },
        ("MESH",),
    ),
    "SaveGLB": _node(
        {"mesh": ["MESH"], "filename_prefix": ["STRING", {"default": "mesh/ComfyUI"}]},
        is_output=True,
        prompt="PROMPT",
        extra_pnginfo="EXTRA_PNGINFO",
    ),
    "PreviewImage": _node({"images": ["IMAGE"]}, is_output=True),
    # Stand-ins for nodes of other packages: one that makes a mesh of an image, and savers that
    # return a text, or nothing at all.
    "MakeMesh": _node(
        {
            "image": ["IMAGE"],
            "seed": _int(0, 0, 2**31 - 1),
            "quality": [["low", "high"]],
            "smooth": ["BOOLEAN", {"default": True}],
            "prompt": ["STRING", {"multiline": True}],
        },
        ("MESH",),
        {"style": ["IMAGE"], "detail": _float(0.5, 0.0, 1.0)},
    ),
    "ExportMesh": _node(
        {"mesh": ["MESH"], "filename_prefix": ["STRING", {}]}, ("STRING",), is_output=True
    ),
    "ShowMesh": _node({"mesh": ["MESH"]}, is_output=True),
}

Error = dict[str, Any]
HasFile = Callable[[str], bool]


def _error(kind: str, message: str, details: str, **extra: Any) -> Error:
    return {"type": kind, "message": message, "details": details, "extra_info": extra}


def check_graph(
    graph: Mapping[str, Any], has_file: HasFile, *, newer: bool
) -> tuple[Error | None, dict[str, Any], list[str]]:
    """Return the error of the whole graph, those of nodes, and the output nodes that can run.

    `has_file` returns whether an input image is there. `newer`: a version of 2026.
    """
    for id_, node in graph.items():
        kind = node.get("class_type") if isinstance(node, dict) else None
        if kind not in NODES:
            return _unknown_node(id_, kind, newer=newer), {}, []
    outputs = [id_ for id_, node in graph.items() if NODES[node["class_type"]]["output_node"]]
    if not outputs:
        return _error("prompt_no_outputs", "Prompt has no outputs", ""), {}, []
    errors: dict[str, Any] = {}
    good = []
    for output in outputs:
        bad = {id_: _check_node(graph, id_, has_file) for id_ in _needed_by(graph, output)}
        bad = {id_: found for id_, found in bad.items() if found}
        for id_, found in bad.items():
            kind = graph[id_]["class_type"]
            entry = {"errors": found, "dependent_outputs": [], "class_type": kind}
            errors.setdefault(id_, entry)["dependent_outputs"].append(output)
        good += [] if bad else [output]
    if not good:
        text = "Prompt outputs failed validation"
        return _error("prompt_outputs_failed_validation", text, ""), errors, []
    return None, errors, good


def _unknown_node(id_: str, kind: object, *, newer: bool) -> Error:
    if not kind:
        text = "Cannot execute because a node is missing the class_type property."
        return _error("invalid_prompt", text, f"Node ID '#{id_}'")
    name = "missing_node_type" if newer else "invalid_prompt"
    text = f"Cannot execute because node {kind} does not exist."
    return _error(name, text, f"Node ID '#{id_}'")


def _needed_by(graph: Mapping[str, Any], output: str) -> list[str]:
    found, pending = [], [output]
    while pending:
        id_ = pending.pop()
        if id_ in found or id_ not in graph:
            continue
        found.append(id_)
        values = graph[id_]["inputs"].values()
        pending += [str(value[0]) for value in values if isinstance(value, list)]
    return found


def _check_node(graph: Mapping[str, Any], id_: str, has_file: HasFile) -> list[Error]:
    node = graph[id_]
    groups = NODES[node["class_type"]]["input"]
    errors = []
    for name, spec in {**groups["required"], **groups.get("optional", {})}.items():
        if name not in node["inputs"]:
            if name in groups["required"]:
                errors.append(_error("required_input_missing", "Required input is missing", name))
            continue
        value = node["inputs"][name]
        error = (
            _check_link(graph, name, spec, value)
            if isinstance(value, list)
            else _check_value(name, spec, value, has_file)
        )
        errors += [error] if error else []
    return errors


def _check_link(graph: Mapping[str, Any], name: str, spec: Any, link: Any) -> Error | None:
    if len(link) != 2 or str(link[0]) not in graph:
        return _error("bad_linked_input", "Bad linked input", name)
    given = NODES[graph[str(link[0])]["class_type"]]["output"]
    if link[1] >= len(given) or given[link[1]] != spec[0]:
        text = "Return type mismatch between linked nodes"
        return _error("return_type_mismatch", text, f"{name}, {given} != {spec[0]}")
    return None


def _check_value(name: str, spec: Any, value: Any, has_file: HasFile) -> Error | None:
    options = spec[1] if len(spec) > 1 else {}
    if options.get("image_upload"):
        text = "Custom validation failed for node"
        bad = _error("custom_validation_failed", text, f"{name} - Invalid image file: {value}")
        return None if has_file(value) else bad
    choices = spec[0] if isinstance(spec[0], list) else options.get("options")
    if choices is not None:
        listed = f"{name}: '{value}' not in {choices}"
        bad = _error("value_not_in_list", "Value not in list", listed, received_value=value)
        return None if value in choices else bad
    if spec[0] not in ("INT", "FLOAT", "BOOLEAN", "STRING"):
        return _error("return_type_mismatch", "A link is required", name)
    if spec[0] in ("INT", "FLOAT") and not isinstance(value, int | float):
        text = "Failed to convert an input value"
        return _error("invalid_input_type", text, f"{name}, {value}", received_value=value)
    if value < options.get("min", value):
        return _error(
            "value_smaller_than_min", "Value smaller than min", name, received_value=value
        )
    if value > options.get("max", value):
        return _error("value_bigger_than_max", "Value bigger than max", name, received_value=value)
    return None
