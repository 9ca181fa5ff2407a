// Checks what is taken from the service config.

package tandem

import (
	"bytes"
	"os"
	"testing"
	"time"
)

func TestWhatTheServiceConfigSays(t *testing.T) {
	t.Parallel()
	read, err := readServiceConfig(embedded)
	if err != nil {
		t.Fatal(err)
	}
	if read.timeout != 10*time.Second || read.pauses != (pauses{250 * time.Millisecond, 4 * time.Second, 2}) {
		t.Errorf("%+v", read)
	}
	// Beside the contract it has to be the contract's; elsewhere there is nothing to compare with.
	if contract, err := os.ReadFile("../../proto/service_config.json"); err == nil && !bytes.Equal(contract, embedded) {
		t.Error("service_config.json is not the contract's; run gen.sh")
	}
}

func TestAServiceConfigThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "{}", `{"methodConfig": [{"timeout": "soon", "retryPolicy": {}}]}`} {
		if _, err := readServiceConfig([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestPausesGrowToABound(t *testing.T) {
	t.Parallel()
	p := pauses{initial: 250 * time.Millisecond, longest: 4 * time.Second, multiplier: 2}
	for failures, middle := range []time.Duration{250, 500, 1000, 2000, 4000, 4000, 4000} {
		middle *= time.Millisecond
		least, most := p.after(failures+1, 0), p.after(failures+1, 1)
		if least != middle*8/10 || most != middle*12/10 {
			t.Errorf("after %d failures it is %v to %v", failures+1, least, most)
		}
	}
	if p.after(1_000_000, 1) > 5*time.Second {
		t.Error("it has no bound")
	}
}
