package model

// Envelope is something signed, in the form of the Dead Simple Signing Envelope, which
// tools for in-toto and Sigstore read. pkg/audit/statement makes and opens those of
// audits. Its names are spelled as that form has them.
// https://github.com/secure-systems-lab/dsse/blob/v1.0.2/envelope.md
type Envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     []byte      `json:"payload"`
	Signatures  []Signature `json:"signatures"`
}

// Signature is one over an envelope's type and payload.
type Signature struct {
	KeyID string `json:"keyid,omitempty"`
	Sig   []byte `json:"sig"`
}
