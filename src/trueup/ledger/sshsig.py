"""SSH signatures: people sign decisions with the key they already have, and `ssh-keygen -Y verify` agrees.

Source: OpenSSH, PROTOCOL.sshsig. Ed25519, ECDSA and RSA (SHA-2) are signed and verified; keys on security
tokens (`sk-...`) and certificates are not read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

    PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey | RSAPrivateKey
    PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey

NAMESPACE = "trueup-decision"
_MAGIC = b"SSHSIG"
_VERSION = 1
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_LINE = 76
_HASHES = {"sha256", "sha512"}
# ECDSA hashes by curve (RFC 5656, 6.2.1).
_CURVE_HASHES = {"nistp256": "SHA256", "nistp384": "SHA384", "nistp521": "SHA512"}
_RSA_HASHES = {"rsa-sha2-256": "SHA256", "rsa-sha2-512": "SHA512"}


@dataclass(frozen=True, slots=True)
class SshSignature:
    """The parts of a signature file; `public` is the key's wire form, `blob` the signature's."""

    public: bytes
    namespace: str
    hash_name: str
    blob: bytes

    @property
    def public_line(self) -> str:
        """The public key as a line, without a comment. Raises ValueError."""
        kind, _ = _take(self.public)
        return f"{kind.decode('ascii', 'replace')} {base64.b64encode(self.public).decode()}"


def public_line(text: str) -> tuple[str, bytes]:
    """Return type and wire form of a public key line, `ssh-ed25519 AAAA... comment`. Raises ValueError."""
    parts = text.split()
    if len(parts) < 2:
        msg = "an SSH public key is one line: type, key, and perhaps a comment, as in a .pub file"
        raise ValueError(msg)
    kind = parts[0]
    try:
        wire = base64.b64decode(parts[1], validate=True)
        inner, _ = _take(wire)
    except (binascii.Error, ValueError):
        msg = f"the key after {kind!r} is cut or mistyped"
        raise ValueError(msg) from None
    if inner.decode("ascii", "replace") != kind:
        msg = f"the line says {kind!r}, but holds another type of key"
        raise ValueError(msg)
    _public_key(kind, wire)
    return kind, wire


def sign(message: bytes, private: bytes, namespace: str = NAMESPACE) -> tuple[str, str]:
    """Sign with the content of an unencrypted private key file; return armoured signature and public key line.

    Raises ValueError or TypeError when the content is not such a key.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = _private_key(private)
    line = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()
    _, wire = public_line(line)
    algorithm, raw = _sign(key, _signed_data(message, namespace, "sha512"))
    blob = _string(algorithm.encode()) + _string(raw)
    parts = (wire, namespace.encode(), b"", b"sha512", blob)
    return _armoured(_MAGIC + struct.pack(">I", _VERSION) + b"".join(map(_string, parts))), line


def verify(message: bytes, armoured: str, public: str, namespace: str = NAMESPACE) -> bool:
    """Tell whether the key of the public line signed the message in this namespace.

    Raises ValueError when signature or key cannot be read; a signature by another key is False.
    """
    signature = parse(armoured)
    kind, wire = public_line(public)
    if signature.public != wire or signature.namespace != namespace:
        return False
    return _verify(kind, wire, signature.blob, _signed_data(message, namespace, signature.hash_name))


def parse(armoured: str) -> SshSignature:
    """Take an armoured signature apart. Raises ValueError."""
    lines = armoured.strip().splitlines()
    if len(lines) < 3 or lines[0] != _BEGIN or lines[-1] != _END:
        msg = f"an SSH signature begins with {_BEGIN} and ends with {_END}"
        raise ValueError(msg)
    body = "".join(lines[1:-1])
    try:
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if base64.b64encode(data).decode() != body:
        msg = "the SSH signature is not base64"
        raise ValueError(msg)
    if data[:6] != _MAGIC or data[6:10] != struct.pack(">I", _VERSION):
        msg = "not an SSH signature of version 1"
        raise ValueError(msg)
    rest, fields = data[10:], []
    for _ in range(5):
        field, rest = _take(rest)
        fields.append(field)
    if rest:
        msg = "the SSH signature has bytes after its end"
        raise ValueError(msg)
    public, namespace, _, hash_name, blob = fields
    return SshSignature(public, namespace.decode("utf-8"), hash_name.decode("utf-8"), blob)


def _signed_data(message: bytes, namespace: str, hash_name: str) -> bytes:
    if hash_name not in _HASHES:
        msg = f"{hash_name!r} is not a hash of SSH signatures"
        raise ValueError(msg)
    hashed = hashlib.new(hash_name, message).digest()
    return _MAGIC + b"".join(map(_string, (namespace.encode(), b"", hash_name.encode(), hashed)))


def _private_key(data: bytes) -> PrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_ssh_private_key

    try:
        key = load_ssh_private_key(data, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"not an OpenSSH private key without a passphrase ({error})"
        raise ValueError(msg) from None
    if not isinstance(key, (ed25519.Ed25519PrivateKey, ec.EllipticCurvePrivateKey, rsa.RSAPrivateKey)):
        msg = "only Ed25519, ECDSA and RSA keys can sign"
        raise TypeError(msg)
    return key


def _public_key(kind: str, wire: bytes) -> PublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

    try:
        key = load_ssh_public_key(kind.encode() + b" " + base64.b64encode(wire))
    except (ValueError, UnsupportedAlgorithm) as error:
        msg = f"the key of type {kind!r} cannot be read ({error})"
        raise ValueError(msg) from None
    if not isinstance(key, (ed25519.Ed25519PublicKey, ec.EllipticCurvePublicKey, rsa.RSAPublicKey)):
        msg = f"keys of type {kind!r} are not read; use Ed25519, ECDSA or RSA"
        raise ValueError(msg)  # noqa: TRY004 -- the text is at fault, not the caller's type
    return key


def _sign(key: PrivateKey, data: bytes) -> tuple[str, bytes]:
    """Return algorithm name and raw signature in SSH's encoding."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ssh-ed25519", key.sign(data)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        curve = f"nistp{key.curve.key_size}"
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(getattr(hashes, _CURVE_HASHES[curve])())))
        return f"ecdsa-sha2-{curve}", _string(_mpint(r)) + _string(_mpint(s))
    return "rsa-sha2-512", key.sign(data, padding.PKCS1v15(), hashes.SHA512())


def _verify(kind: str, wire: bytes, blob: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    name, rest = _take(blob)
    raw, after = _take(rest)
    algorithm = name.decode("ascii", "replace")
    key = _public_key(kind, wire)
    try:
        if after or algorithm not in ({kind} if kind != "ssh-rsa" else _RSA_HASHES):
            return False
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(raw, data)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            r, more = _take(raw)
            s, _ = _take(more)
            pair = encode_dss_signature(int.from_bytes(r), int.from_bytes(s))
            key.verify(pair, data, ec.ECDSA(getattr(hashes, _CURVE_HASHES[f"nistp{key.curve.key_size}"])()))
        else:
            key.verify(raw, data, padding.PKCS1v15(), getattr(hashes, _RSA_HASHES[algorithm])())
    except InvalidSignature:
        return False
    return True


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _mpint(number: int) -> bytes:
    return number.to_bytes(number.bit_length() // 8 + 1)


def _take(data: bytes) -> tuple[bytes, bytes]:
    """Split the first length-prefixed string off."""
    if len(data) < 4:
        msg = "the SSH data end too early"
        raise ValueError(msg)
    (length,) = struct.unpack(">I", data[:4])
    if len(data) < 4 + length:
        msg = "the SSH data end too early"
        raise ValueError(msg)
    return data[4 : 4 + length], data[4 + length :]


def _armoured(data: bytes) -> str:
    text = base64.b64encode(data).decode()
    lines = [text[at : at + _LINE] for at in range(0, len(text), _LINE)]
    return "\n".join([_BEGIN, *lines, _END, ""])
