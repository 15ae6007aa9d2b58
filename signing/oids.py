"""Object identifiers of certificates and seals (GM/T 0006-2012, RFC 5280)."""

from __future__ import annotations

from typing import Final

SM2_CURVE: Final = "1.2.156.10197.1.301"  # also seen as the key algorithm itself
SM2_SIGN: Final = "1.2.156.10197.1.301.1"
SM2_WITH_SM3: Final = "1.2.156.10197.1.501"
SM3: Final = "1.2.156.10197.1.401"
EC_PUBLIC_KEY: Final = "1.2.840.10045.2.1"
RSA: Final = "1.2.840.113549.1.1.1"
SHA1: Final = "1.3.14.3.2.26"  # in identifiers of certificates only, never under a signature

SUBJECT_KEY_ID: Final = "2.5.29.14"
KEY_USAGE: Final = "2.5.29.15"
SUBJECT_ALT_NAME: Final = "2.5.29.17"
BASIC_CONSTRAINTS: Final = "2.5.29.19"
CRL_NUMBER: Final = "2.5.29.20"
CRL_REASON: Final = "2.5.29.21"
INVALIDITY_DATE: Final = "2.5.29.24"
DELTA_CRL: Final = "2.5.29.27"
ISSUING_POINT: Final = "2.5.29.28"
CERTIFICATE_ISSUER: Final = "2.5.29.29"
NAME_CONSTRAINTS: Final = "2.5.29.30"
CRL_POINTS: Final = "2.5.29.31"
POLICIES: Final = "2.5.29.32"
AUTHORITY_KEY_ID: Final = "2.5.29.35"
EXTENDED_KEY_USAGE: Final = "2.5.29.37"
ANY_EXTENDED_USAGE: Final = "2.5.29.37.0"

EXTENSION_REQUEST: Final = "1.2.840.113549.1.9.14"
SERVER_AUTH: Final = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
TIME_STAMPING: Final = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
OCSP_BASIC: Final = "1.3.6.1.5.5.7.48.1.1"
OCSP_NONCE: Final = "1.3.6.1.5.5.7.48.1.2"
OCSP_NO_CHECK: Final = "1.3.6.1.5.5.7.48.1.5"

TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
SIGNING_CERTIFICATE: Final = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"
