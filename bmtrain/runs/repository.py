"""The git commit that a run is trained at. Whose repository it is is not known: nothing of it runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any, Final

_TIMEOUT_S = 2.0
# What git would run because a repository's own config says so, beside filters.
_SAFE: Final = (
    *("-c", "core.fsmonitor="),
    *("-c", f"core.hooksPath={os.devnull}"),
)
_ENVIRONMENT: Final = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",  # the index is not written anew
    # A repository whose objects are elsewhere fetches them: by a command that its config names.
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_LAZY_FETCH": "1",
}
_STATUS: Final = ("status", "--porcelain=v2", "--branch", "--untracked-files=no")


def git_facts(directory: Path) -> dict[str, Any] | None:
    """The commit of the repository around ``directory`` and whether tracked files differ from it.

    ``{"commit", "dirty"}``; None without git, a repository or a commit, or if git takes
    longer than two seconds. ``dirty`` is None where the repository's own config has filters:
    comparing files would run them. Submodules are left out: they have configs of their own.
    """
    try:
        # Of one's own config (git-lfs's, say) filters may run.
        listed = _git(directory, "config", "--show-scope", "--name-only", "-z", "--list")
        # Scope and name in turn.
        scopes, names = listed.split("\0")[:-1:2], listed.split("\0")[1::2]
        if any(
            name.startswith("filter.") and scope not in {"system", "global"}
            for scope, name in zip(scopes, names, strict=True)
        ):
            commit = _git(directory, "rev-parse", "--verify", "--quiet", "HEAD^{commit}").strip()
            return {"commit": commit, "dirty": None}
        lines = _git(directory, *_STATUS, "--ignore-submodules=all").splitlines()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    commit = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), "")
    if commit in {"", "(initial)"}:
        return None
    return {"commit": commit, "dirty": any(not line.startswith("#") for line in lines)}


def _git(directory: Path, *arguments: str) -> str:
    answer = subprocess.run(  # noqa: S603  # a fixed command, no shell
        ["git", *_SAFE, *arguments],  # noqa: S607  # whichever git there is
        cwd=directory,
        env=os.environ | _ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TIMEOUT_S,
        check=True,
    )
    return answer.stdout.decode(errors="replace")
