package v1

type Secret struct {
	Data       map[string][]byte
	StringData map[string]string
}

type ConfigMap struct {
	Data map[string]string
}
