package wire

// Want is what the hub wants a device to be: one whole retained document. Of
// two, the higher Revision holds, and a device's own stands above its group's.
type Want struct {
	Revision uint64      `json:"revision"`
	Bundle   *WantBundle `json:"bundle,omitempty"`
	HubKey   []byte      `json:"hub_key,omitempty"` // X25519 key for SealToHub, 32 bytes
	Keys     [][]byte    `json:"keys,omitempty"`    // further Ed25519 keys that may sign, 32 bytes each
	Time     int64       `json:"time"`              // the hub's clock at signing, ms
}

// WantBundle is the bundle to run. The file is fetched by BundleRequest.
type WantBundle struct {
	Name      string `json:"name"`
	Version   string `json:"version"`
	Size      int64  `json:"size"`
	SHA256    string `json:"sha256"`
	Signature string `json:"signature"` // the .minisig file, whole
}
