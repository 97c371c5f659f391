"""Credentials that the client doesn't find by itself: those in AWS's own files, and those of single sign-on."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any

_FOUND_BY_THE_CLIENT = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)


def credential_provider(region: str | None) -> Any | None:
    """What asks boto3 for credentials, if it is installed and has some; else the client looks where it can."""
    profile = os.environ.get("AWS_PROFILE")
    known = any(os.environ.get(name) for name in _FOUND_BY_THE_CLIENT)
    if (known and not profile) or find_spec("boto3") is None:
        return None
    session = import_module("boto3").Session(region_name=region)
    return from_session(session) if session.get_credentials() is not None else None


def from_session(session: Any) -> Any:
    """What asks a boto3 session for credentials: anew each time that those it gave are used up."""
    return import_module("obstore.auth.boto3").Boto3CredentialProvider(session)
