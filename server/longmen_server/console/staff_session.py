"""A machine that a member of staff works at: its key, its session, and the calls with both."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

if TYPE_CHECKING:
    from longmen.identity.v1 import identity_pb2
    from longmen_client import Client, Config
    from longmen_client.device_key import DeviceKey

__all__ = ["DEFAULT_FOLDER", "StaffMachine", "folder_option"]

DEFAULT_FOLDER = Path.home() / ".longmen-staff"
KEY_FILE, SESSION_FILE = "machine.pem", "session"
RENEW_S = 300
"""A token that ends within so many seconds is renewed before it is used."""

folder_option = click.option(
    "--machine",
    "folder",
    type=click.Path(path_type=Path),
    envvar="LONGMEN_STAFF",
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Folder of this machine's key and session.",
)


@dataclass
class StaffMachine:
    """The files of one machine."""

    folder: Path
    key: DeviceKey

    @classmethod
    def open(cls, folder: Path) -> StaffMachine:
        """Read the machine's key, or make it.

        Raises:
            OSError: the folder cannot be used.
            ValueError: the key is none.
        """
        from longmen_client.device_key import DeviceKey

        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(folder, DeviceKey.load_or_make(folder / KEY_FILE))

    # -- signing in ----------------------------------------------------------------------------

    def door(self, config: Config) -> Client:
        """A client without a token."""
        from longmen_client import Client

        return Client(dataclasses.replace(config, token=None, device_key=None))

    def begin(self, door: Client, login: str) -> Any:
        """Begin a sign-in."""
        return door.staff_sessions.start_staff_sign_in(login=login).message

    def enrol(self, door: Client, begun: Any, *, password: str, secret: str) -> Any:
        """Set the password; the reply has the seed."""
        return door.staff_sessions.enrol_staff(
            sign_in_id=begun.sign_in_id,
            device=self._offer("EnrolStaff", begun.nonce),
            password=password,
            enrolment_secret=secret,
        ).message

    def confirm(self, door: Client, begun: Any, *, code: str) -> Any:
        """End the enrolment; keep and return the session."""
        reply = door.staff_sessions.confirm_staff_enrolment(
            sign_in_id=begun.sign_in_id,
            device=self._offer("ConfirmStaffEnrolment", begun.nonce),
            totp_code=code,
        ).message
        return self._keep(reply.session)

    def complete(self, door: Client, begun: Any, *, password: str, code: str) -> Any:
        """Sign in; keep and return the session."""
        from longmen.identity.v1 import factor_pb2

        reply = door.staff_sessions.complete_staff_sign_in(
            sign_in_id=begun.sign_in_id,
            device=self._offer("CompleteStaffSignIn", begun.nonce),
            password=password,
            second_factor=factor_pb2.FactorProof(totp_code=code),
        ).message
        return self._keep(reply.session)

    # -- calls in the session ------------------------------------------------------------------

    def has_session(self) -> bool:
        """Whether somebody has signed in at this machine."""
        return (self.folder / SESSION_FILE).exists()

    def configured(self, config: Config) -> Config:
        """A configuration whose calls are of the session, renewed first if it is about to end.

        Raises:
            LookupError: nobody has signed in.
            LongmenError: the session has ended.
        """
        from longmen_client import Client

        kept = self._read()
        ready = dataclasses.replace(config, token=kept.access_token, device_key=self.key)
        left = kept.access_token_expire_time.ToSeconds() - _now_s()
        if 0 < left < RENEW_S:
            with Client(ready) as bank:
                renewed = bank.staff_sessions.renew_staff_session().message
            self._keep(renewed.session)
            ready = dataclasses.replace(ready, token=renewed.session.access_token)
        return ready

    def bank(self, config: Config) -> Client:
        """A client whose calls are of the session."""
        from longmen_client import Client

        return Client(self.configured(config))

    def forget(self) -> None:
        """Forget the session."""
        (self.folder / SESSION_FILE).unlink(missing_ok=True)

    def _offer(self, method: str, nonce: bytes) -> identity_pb2.DeviceKey:
        from longmen.identity.v1 import identity_pb2

        return identity_pb2.DeviceKey(
            algorithm=self.key.algorithm,  # type: ignore[arg-type]  # enums are ints
            public_key=self.key.public_key,
            signature=self.key.prove(method, nonce),
            name=os.uname().nodename[:64],
        )

    def _keep(self, session: Any) -> Any:
        path = self.folder / SESSION_FILE
        path.touch(mode=0o600)
        path.write_bytes(session.SerializeToString())
        return session

    def _read(self) -> Any:
        from longmen.staff.v1 import staff_pb2

        path = self.folder / SESSION_FILE
        if not path.exists():
            raise LookupError("nobody has signed in here: longmen staff sign-in LOGIN")
        return staff_pb2.StaffSession.FromString(path.read_bytes())


def _now_s() -> int:
    from longmen_server.platform.clock import SystemClock

    return SystemClock().now_us() // 1_000_000
