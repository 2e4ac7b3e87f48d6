package config

import (
	"encoding/json"
	"slices"

	"github.com/invopop/jsonschema"
)

// Schema returns the JSON schema of the configuration file. Options maps the id
// of each rule to a pointer to its options, nil where it has none.
func Schema(options map[string]any) ([]byte, error) {
	r := &jsonschema.Reflector{DoNotReference: true, ExpandedStruct: true}
	s := r.Reflect(&Config{})
	s.ID = "https://crashlint.dev/schema/config.json"
	s.Title = "crashlint configuration (" + Name + ")"
	rules, ok := s.Properties.Get("rules")
	if ok {
		rules.AdditionalProperties = jsonschema.FalseSchema
		rules.Properties = jsonschema.NewProperties()
		for _, id := range sorted(options) {
			one := r.Reflect(&Rule{})
			one.Version, one.ID = "", ""
			if options[id] == nil {
				one.Properties.Delete("options")
			} else {
				o := r.Reflect(options[id])
				o.Version, o.ID, o.Required = "", "", nil
				one.Properties.Set("options", o)
			}
			rules.Properties.Set(id, one)
		}
	}
	return json.MarshalIndent(s, "", "  ")
}

func sorted(m map[string]any) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
