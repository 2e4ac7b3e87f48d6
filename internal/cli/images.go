package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"sigs.k8s.io/yaml"

	"github.com/crashlint/crashlint/internal/images"
)

// showImages lists the images that something is known of, or shows what is known
// of those named, in the shape in which the configuration takes it.
func showImages(c *cli.Context, s Streams) error {
	cfg, err := readConfig(c, []string{"."})
	if err != nil {
		return err
	}
	known, err := images.Builtin().With(cfg.Images)
	if err != nil {
		return err
	}
	if !c.Args().Present() {
		return listImages(known, s)
	}
	var names []string
	for _, e := range known.Entries {
		names = append(names, e.Names...)
	}
	var shown []images.Entry
	for _, ref := range c.Args().Slice() {
		facts, ok := known.Lookup(ref)
		if !ok {
			hint := similar(ref, names)
			if hint == "" {
				hint = ": crashlint images lists those of which something is, and images: in " + configName + " takes yours"
			}
			return fmt.Errorf("nothing is known of the image %s%s", ref, hint)
		}
		shown = append(shown, images.Entry{Names: []string{ref}, Facts: facts})
	}
	text, err := yaml.Marshal(map[string]any{"images": shown})
	if err != nil {
		return err
	}
	_, err = s.Out.Write(text)
	return err
}

// listImages prints a line an entry: its names, and what is known of it.
func listImages(known *images.Catalogue, s Streams) error {
	for _, e := range known.Entries {
		text, err := json.Marshal(e)
		if err != nil {
			return err
		}
		var fields map[string]any
		if err := json.Unmarshal(text, &fields); err != nil {
			return err
		}
		delete(fields, "names")
		fmt.Fprintf(s.Out, "%s: %s\n", strings.Join(e.Names, " "), strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
	}
	fmt.Fprintln(s.Out, "\ncrashlint images IMAGE shows what is known of one, with the sources; a tag counts")
	return nil
}
