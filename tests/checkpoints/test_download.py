"""`--download` against a hub of our own, through huggingface_hub itself; nothing unless asked."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from checkpoint_files import noise, write_safetensors

from sgdyson.checkpoints import survey
from sgdyson.errors import InvalidInputError

pytest.importorskip("huggingface_hub")
COMMIT = "a" * 40


def of(body):
    """The name of a file by its bytes, as the hub gives it."""
    return hashlib.sha1(body).hexdigest()


@pytest.fixture
def hub(tmp_path):
    """Its address, its files by repository, and the requests that it got."""
    files, requests = {}, []

    class Hub(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            requests.append(self.path)
            place = self.path.partition("?")[0].strip("/").split("/")
            name = "/".join(place[2:4] if place[0] == "api" else place[:2])
            if name not in files:
                self._answer(404, b"{}", {"X-Error-Code": "RepoNotFound"})
            elif place[0] == "api":
                tree = [{"type": "file", "path": path, "size": len(body), "oid": of(body)}
                        for path, body in files[name].items()]  # fmt: skip
                info = {"id": name, "sha": COMMIT,
                        "siblings": [{"rfilename": path} for path in files[name]]}  # fmt: skip
                self._answer(200, json.dumps(tree if place[4] == "tree" else info).encode())
            else:
                body = files[name]["/".join(place[4:])]
                self._answer(200, body, {"ETag": f'"{of(body)}"', "X-Repo-Commit": COMMIT})

        def _answer(self, status, body, headers=None):
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", files, requests
    server.shutdown()
    thread.join()
    server.server_close()


def spectrum(address, home, *words):
    hidden = ("HF_", "HUGGINGFACE", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    clean = {k: v for k, v in os.environ.items() if not k.upper().startswith(hidden)}
    settings = {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1",
                "HF_HUB_DISABLE_TELEMETRY": "1"}  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "sgdyson", "spectrum", *words, "--csv"],
        capture_output=True, text=True, timeout=120, env=clean | settings,
    )  # fmt: skip


def model(folder):
    path = write_safetensors(folder / "model.safetensors", {"w": noise((30, 20)).astype("f4")})
    return path.read_bytes()


def test_a_model_is_fetched_once_it_is_asked_for(tmp_path, hub, monkeypatch):
    address, files, requests = hub
    files["org/tiny"] = {"model.safetensors": model(tmp_path), "config.json": b"{}",
                         "modeling.py": b"import os", "pytorch_model.bin": b"no"}  # fmt: skip
    monkeypatch.setenv("HF_ENDPOINT", address)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "home" / "hub"))
    with pytest.raises(InvalidInputError, match="nothing is fetched"):
        survey("hf:org/tiny")
    assert requests == []
    done = spectrum(address, tmp_path / "home", "hf:org/tiny", "--download")
    assert done.returncode == 0, done.stderr
    head, row = (line.split(",") for line in done.stdout.splitlines())
    top = np.linalg.norm(noise((30, 20)).astype("f4").astype(float), 2)
    assert float(row[head.index("spectral")]) == pytest.approx(top)
    fetched = {place.rpartition("/")[2] for place in requests if "/resolve/" in place}
    assert fetched == {"model.safetensors", "config.json"}
    before = len(requests)
    (again,) = survey("hf:org/tiny@main").rows()  # from the cache
    assert again["spectral"] == pytest.approx(top)
    assert before == len(requests)


def test_a_model_of_pytorch_alone_and_one_that_is_not_there(tmp_path, hub):
    torch = pytest.importorskip("torch")
    address, files, _ = hub
    torch.save({"w": torch.eye(4)}, tmp_path / "w.bin")
    files["org/old"] = {"pytorch_model.bin": (tmp_path / "w.bin").read_bytes()}
    done = spectrum(address, tmp_path / "home", "hf:org/old", "--download")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1].startswith("w,4,4")
    none = spectrum(address, tmp_path / "home", "hf:org/none", "--download")
    assert (none.returncode, none.stdout) == (2, "")
    assert "hf:org/none was not downloaded" in none.stderr
    assert "Traceback" not in none.stderr
