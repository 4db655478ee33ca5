/** Of nobody: a certificate that signs itself, and what a key looks like. */
export const selfSigned = `-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUNzYfqwEgPjHOuL2MK/TXAcQZLiMwCgYIKoZIzj0EAwIw
FjEUMBIGA1UEAwwLc21zYy5pbnNpZGUwIBcNMjYxMTI5MjM1ODI4WhgPMjEyNjEx
MDUyMzU4MjhaMBYxFDASBgNVBAMMC3Ntc2MuaW5zaWRlMFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAE86CGiOjG4vBfV1/hz/rb+eVIqQ2R1eNUnHKEs/C/6Mae84Fc
LRAUiLevSH1QJejhd3Wyy5Axziyjckk3kVar0KNTMFEwHQYDVR0OBBYEFK2w903a
4UGuIKevqApB1RC1oywrMB8GA1UdIwQYMBaAFK2w903a4UGuIKevqApB1RC1oywr
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAP/Fdq6WcabJtTz2
6ir0QCEagoTf9kqAVkl4U7AJF5gqAiAc9O9Tnpd+2ZtCvaWkhcp99b53qpoDw/kP
alFfGOks2A==
-----END CERTIFICATE-----
`;

export const privateKey = '-----BEGIN PRIVATE KEY-----\nbm90aGluZw==\n-----END PRIVATE KEY-----\n';
