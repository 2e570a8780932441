# SPDX-License-Identifier: GPL-3.0-or-later
"""The sample programs of AI/ML API's documentation, quoted from docs.aimlapi.com (2026-08-21).

The pages “triposr” and “magic/image-to-3d” differ in the request's body alone.
"""

from __future__ import annotations

ADDRESS = "https://api.aimlapi.com"
PICTURE = (
    "https://upload.wikimedia.org/wikipedia/commons/thumb/2/22/Fly_Agaric_mushroom_05.jpg/"
    "576px-Fly_Agaric_mushroom_05.jpg"
)
KEY = "<YOUR_AIMLAPI_KEY>"

_SAMPLE = """\
import requests


def main():
    response = requests.post(
        "https://api.aimlapi.com/v1/images/generations",
        headers={
            # Insert your AIML API Key instead of <YOUR_AIMLAPI_KEY>:
            "Authorization": "Bearer <YOUR_AIMLAPI_KEY>",
            "Content-Type": "application/json",
        },
        json={
            BODY
        },
    )

    response.raise_for_status()
    data = response.json()
    url = data["model_mesh"]["url"]
    file_name = data["model_mesh"]["file_name"]

    mesh_response = requests.get(url, stream=True)

    with open(file_name, "wb") as file:
        for chunk in mesh_response.iter_content(chunk_size=8192):
            file.write(chunk)


if __name__ == "__main__":
    main()
"""

TRIPOSR = _SAMPLE.replace(
    "BODY",
    f"""\
"model": "triposr",
            "image_url": "{PICTURE}",""",
)
MAGIC = _SAMPLE.replace(
    "BODY",
    f"""\
"model": "magic/image-to-3d",
            "front_image_url": "{PICTURE}",""",
)
