"""Generated from proto/ by scripts/gen. Do not edit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longmen.credentials.v1 import credentials_service_pb2
from longmen_client._async.pager import AsyncPager
from longmen_client._generated import methods
from longmen_client.ids import new_request_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from longmen_client._async.caller import AsyncCaller
    from longmen_client._config import CallOptions
    from longmen_client._reply import Reply


class AsyncCredentials:
    """CredentialsService makes, shows and ends API keys. A call with a key has the metadata
    `authorization: Key <id>.<secret>`. Calls of merchants that move money are signed as well:
    see docs/credentials.md.
    """

    def __init__(self, caller: AsyncCaller) -> None:
        self._caller = caller

    async def create_key(
        self,
        *,
        owner_kind: credentials_service_pb2.KeyOwnerKind.ValueType,
        owner: str,
        scopes: Iterable[str],
        label: str = "",
        networks: Iterable[str] = (),
        lifetime_days: int = 0,
        claim_key: bytes = b"",
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[credentials_service_pb2.CreateKeyResponse]:
        """Makes a key.

        With a claim key the secret is nobody's until ClaimKey shows it, once, to whoever has the
        private half of that; without one it is in the reply and nowhere else. Staff who have signed
        in propose a key with a claim key, and another administrator approves: nobody at the bank
        ever has the secret. Development tokens that name no role call the method directly. An owner
        has two keys at most, so that one can replace the other.

        Args:
            owner_kind: Owner kind that the key speaks for.
            owner: Owner is the subject that the key speaks for: letters, digits, dot, dash and
                underscore.
            scopes: Scopes that the key gets.
            label: Label for people.
            networks: Networks, as CIDR, that the key can be used from; none means anywhere.
            lifetime_days: Lifetime days; 0 means 365.
            claim_key: Claim key: the public key, as DER of a SubjectPublicKeyInfo (Ed25519 or
                P-256), of whoever is to have the secret. It verifies the key's signed calls as
                well.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: KEY_LIMIT_REACHED,
                KEY_INVALID_NETWORK, SIGNING_KEY_INVALID, CLAIM_KEY_MISSING, APPROVAL_REQUIRED.

        Scope: keys.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = credentials_service_pb2.CreateKeyRequest(
            owner_kind=owner_kind,
            owner=owner,
            scopes=scopes,
            label=label,
            networks=networks,
            lifetime_days=lifetime_days,
            claim_key=claim_key,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.CREDENTIALS_CREATE_KEY, request, request.request_id, options
        )

    async def claim_key(
        self,
        *,
        key_id: str,
        signature: bytes,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[credentials_service_pb2.ClaimKeyResponse]:
        """Shows the secret of a key, once, to whoever has the private half of its claim key.

        The secret is made here; a repetition under the same request id shows it again. Whatever is
        wrong has one answer.

        Args:
            key_id: Key id of the key to claim.
            signature: Signature by the claim key over two lines joined by a line feed: LONGMEN-KEY-
                CLAIM-1 and the key id. Ed25519 signs the text, P-256 its SHA-256 (DER).
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: KEY_CLAIM_REJECTED.

        Scope: keys.claim. Deadline: 5000 ms, at most 30000 ms.
        """
        request = credentials_service_pb2.ClaimKeyRequest(
            key_id=key_id, signature=signature, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.CREDENTIALS_CLAIM_KEY, request, request.request_id, options
        )

    def list_keys(
        self,
        *,
        book: int = 0,
        owner: str = "",
        page_size: int = 0,
        page_token: str = "",
        options: CallOptions | None = None,
    ) -> AsyncPager[credentials_service_pb2.ApiKey, credentials_service_pb2.ListKeysResponse]:
        """Returns keys without their secrets, the oldest first.

        Args:
            book: Book to list; 0 means the server's default book.
            owner: Owner to keep the keys of; empty keeps all.
            page_size: Page size is the most keys in the page; 0 means 100, and at most 1000 are
                given.
            page_token: Page token of the page before; empty for the first.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: UNKNOWN_BOOK,
                INVALID_PAGE_TOKEN.

        Scope: keys.read. Deadline: 5000 ms, at most 30000 ms.
        """
        request = credentials_service_pb2.ListKeysRequest(
            book=book, owner=owner, page_size=page_size, page_token=page_token
        )
        return AsyncPager(self._caller, methods.CREDENTIALS_LIST_KEYS, request, "keys", options)

    async def revoke_key(
        self,
        *,
        key_id: str,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[credentials_service_pb2.RevokeKeyResponse]:
        """Ends a key for ever.

        Within five seconds no worker takes it any more.

        Args:
            key_id: Key id of the key.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: KEY_NOT_FOUND, KEY_REVOKED.

        Scope: keys.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = credentials_service_pb2.RevokeKeyRequest(
            key_id=key_id, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.CREDENTIALS_REVOKE_KEY, request, request.request_id, options
        )

    async def rotate_key(
        self,
        *,
        key_id: str,
        overlap_hours: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[credentials_service_pb2.RotateKeyResponse]:
        """Makes a key that may do what an older one may, and lets the older one end after an
        overlap.

        Where staff who have signed in do it, the new secret is claimed with the older key's signing
        key, and they are not shown it.

        Args:
            key_id: Key id of the key.
            overlap_hours: Overlap hours until the older key ends; 0 means 24.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: KEY_NOT_FOUND, KEY_REVOKED,
                KEY_LIMIT_REACHED, CERTIFICATE_HAS_NO_SECRET, CLAIM_KEY_MISSING.

        Scope: keys.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = credentials_service_pb2.RotateKeyRequest(
            key_id=key_id, overlap_hours=overlap_hours, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.CREDENTIALS_ROTATE_KEY, request, request.request_id, options
        )

    async def register_signing_key(
        self,
        *,
        key_id: str,
        public_key: bytes,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[credentials_service_pb2.RegisterSigningKeyResponse]:
        """Gives a key the public key that its signed calls are verified with.

        From then on its calls that move money have to be signed. Staff who have signed in propose
        it, and another administrator approves.

        Args:
            key_id: Key id of the key.
            public_key: Public key as DER of a SubjectPublicKeyInfo: Ed25519 or P-256.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: KEY_NOT_FOUND, KEY_REVOKED,
                SIGNING_KEY_INVALID, CERTIFICATE_HAS_NO_SECRET, APPROVAL_REQUIRED.

        Scope: keys.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = credentials_service_pb2.RegisterSigningKeyRequest(
            key_id=key_id, public_key=public_key, request_id=request_id or new_request_id()
        )
        return await self._caller.change(
            methods.CREDENTIALS_REGISTER_SIGNING_KEY, request, request.request_id, options
        )

    async def register_certificate(
        self,
        *,
        owner_kind: credentials_service_pb2.KeyOwnerKind.ValueType,
        owner: str,
        scopes: Iterable[str],
        identity: str,
        label: str = "",
        networks: Iterable[str] = (),
        lifetime_days: int = 0,
        request_id: str | None = None,
        options: CallOptions | None = None,
    ) -> Reply[credentials_service_pb2.RegisterCertificateResponse]:
        """Lets a system call by its client certificate, over mutual TLS, instead of a key: by the
        SPIFFE id or DNS name in the certificate's subject alternative names.

        Such calls are not signed. It is listed and revoked like a key, and counts as one of the
        owner's two. One administrator proposes it, another approves.

        Args:
            owner_kind: Owner kind that the certificate speaks for.
            owner: Owner is the subject that the certificate speaks for: letters, digits, dot, dash
                and underscore.
            scopes: Scopes that its calls get.
            identity: Identity as the certificate has it: a SPIFFE id, "spiffe://bank.example/till",
                or a DNS name, "dns:till.bank.example".
            label: Label for people.
            networks: Networks, as CIDR, that it can be used from; none means anywhere.
            lifetime_days: Lifetime days; 0 means 365.
            request_id: Request id is a UUID that the caller makes once per intention and keeps for
                every retry.
            options: What this call does differently from the configuration.

        Raises:
            LongmenError: the call did not succeed; of its own reasons: KEY_LIMIT_REACHED,
                KEY_INVALID_NETWORK, CERTIFICATE_IDENTITY_INVALID, CERTIFICATE_IDENTITY_TAKEN,
                APPROVAL_REQUIRED.

        Scope: keys.write. Deadline: 5000 ms, at most 30000 ms.
        """
        request = credentials_service_pb2.RegisterCertificateRequest(
            owner_kind=owner_kind,
            owner=owner,
            scopes=scopes,
            identity=identity,
            label=label,
            networks=networks,
            lifetime_days=lifetime_days,
            request_id=request_id or new_request_id(),
        )
        return await self._caller.change(
            methods.CREDENTIALS_REGISTER_CERTIFICATE, request, request.request_id, options
        )
