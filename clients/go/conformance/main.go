// Command conformance is the driver of the conformance cases (../conformance/README.md): it does
// what it is told, a JSON object a line, through this client, and says what came of it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

func main() {
	lines := bufio.NewReader(os.Stdin)
	said := json.NewEncoder(os.Stdout)
	said.SetEscapeHTML(false)
	d := newDriver()
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			var told step
			if err := json.Unmarshal(line, &told); err != nil {
				fail(err)
			}
			answer, err := d.do(&told)
			if err != nil {
				fail(fmt.Errorf("%s: %w", line, err))
			}
			if err := said.Encode(answer); err != nil {
				fail(err)
			}
		}
		if err != nil {
			return
		}
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "conformance:", err)
	os.Exit(1)
}
