package server

import (
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"testing"
	"time"

	"golang.org/x/time/rate"
)

// A client may send its burst at once, and then one request each time that the rate allows; each has its own.
func TestTake(t *testing.T) {
	t.Parallel()
	l := newLimiters(2, 3)
	now := time.Unix(1_700_000_000, 0)
	for i := range 3 {
		if wait := l.take("ada", now); wait != 0 {
			t.Fatalf("request %d of the burst must wait %v", i+1, wait)
		}
	}
	for range 5 { // those that are refused cost nothing
		if wait := l.take("ada", now); wait != 500*time.Millisecond {
			t.Fatalf("one past the burst must wait %v", wait)
		}
	}
	if wait := l.take("ben", now); wait != 0 {
		t.Errorf("another must wait %v", wait)
	}
	if wait := l.take("ada", now.Add(499*time.Millisecond)); wait == 0 {
		t.Error("too early, and not refused")
	}
	if wait := l.take("ada", now.Add(500*time.Millisecond)); wait != 0 {
		t.Errorf("after the time it was told, it must wait %v", wait)
	}
	if wait := l.take("ada", now.Add(500*time.Millisecond)); wait == 0 {
		t.Error("a second one at that time is not refused")
	}
	later := now.Add(time.Hour)
	for i := range 3 { // the burst is whole again, and no more than that
		if wait := l.take("ada", later); wait != 0 {
			t.Errorf("request %d an hour later must wait %v", i+1, wait)
		}
	}
	if l.take("ada", later) == 0 {
		t.Error("an idle hour has saved up more than the burst")
	}
}

func TestTakeWithoutLimit(t *testing.T) {
	t.Parallel()
	for _, rate := range []float64{0, -1} {
		l := newLimiters(rate, 1)
		for range 1000 {
			if wait := l.take("ada", time.Unix(0, 0)); wait != 0 {
				t.Fatalf("rate %v: must wait %v", rate, wait)
			}
		}
	}
	// A burst of nothing would let nobody in, ever.
	l := newLimiters(1, 0)
	if wait := l.take("ada", time.Unix(0, 0)); wait != 0 {
		t.Errorf("without a burst the first request must wait %v", wait)
	}
	if l.take("ada", time.Unix(0, 0)) == 0 {
		t.Error("without a burst the second request at once is not refused")
	}
}

// At the same moment, as many pass as the burst has, however many ask.
func TestTakeAtOnce(t *testing.T) {
	t.Parallel()
	const burst, clients = 10, 8
	l := newLimiters(1, burst)
	now := time.Unix(1_700_000_000, 0)
	passed := make(chan string, burst*clients*4)
	var all sync.WaitGroup
	for i := range clients {
		for range 4 {
			all.Go(func() {
				for range burst {
					if who := fmt.Sprint(i); l.take(who, now) == 0 {
						passed <- who
					}
				}
			})
		}
	}
	all.Wait()
	close(passed)
	count := map[string]int{}
	for who := range passed {
		count[who]++
	}
	for i := range clients {
		if n := count[fmt.Sprint(i)]; n != burst {
			t.Errorf("%d passed of client %d, want %d", n, i, burst)
		}
	}
}

// However many clients there are, the memory of them is bounded.
func TestTakeForgets(t *testing.T) {
	t.Parallel()
	l := newLimiters(1, 1)
	now := time.Unix(1_700_000_000, 0)
	for i := range rememberedClients + 10 {
		l.take(fmt.Sprint(i), now)
	}
	if n := l.known.Len(); n != rememberedClients {
		t.Errorf("%d are remembered", n)
	}
}

func TestAddressBurst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rates Rates
		want  int
	}{
		{Rates{Request: 50, RequestBurst: 300, Address: 100}, 600},
		{Rates{Request: 50, RequestBurst: 300, Address: 0.1}, 1},
		{Rates{Address: 100}, 100},
		{Rates{Address: 0.5}, 1},
	} {
		if got := addressBurst(c.rates); got != c.want {
			t.Errorf("%+v: %d, want %d", c.rates, got, c.want)
		}
	}
}

func TestAddressOf(t *testing.T) {
	t.Parallel()
	proxies, err := ParseProxies([]string{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what, remote string
		forwarded    []string
		want         string
	}{
		{"no proxy", "203.0.113.9:4444", nil, "203.0.113.9"},
		{"no proxy, and a header that nobody vouches for", "203.0.113.9:4444", []string{"198.51.100.7"}, "203.0.113.9"},
		{"no proxy, and a header that names one", "203.0.113.9:4444", []string{"198.51.100.7, 10.0.0.1"}, "203.0.113.9"},
		{"a proxy", "10.1.2.3:4444", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a proxy named by its address", "192.0.2.1:4444", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a neighbour of the proxy", "192.0.2.2:4444", []string{"198.51.100.7"}, "192.0.2.2"},
		{"a proxy that says nothing", "10.1.2.3:4444", nil, "10.1.2.3"},
		{"an empty header", "10.1.2.3:4444", []string{""}, "10.1.2.3"},
		{"what the client made up is on the left", "10.1.2.3:4444", []string{"1.1.1.1, 2.2.2.2, 198.51.100.7"}, "198.51.100.7"},
		{"two proxies", "10.1.2.3:4444", []string{"198.51.100.7, 10.9.9.9"}, "198.51.100.7"},
		{"two proxies, and what the client made up", "10.1.2.3:4444", []string{"10.5.5.5, 198.51.100.7, 10.9.9.9"}, "198.51.100.7"},
		{"in two headers", "10.1.2.3:4444", []string{"1.1.1.1", "198.51.100.7, 192.0.2.1"}, "198.51.100.7"},
		{"proxies all the way", "10.1.2.3:4444", []string{"10.7.7.7, 10.8.8.8"}, "10.7.7.7"},
		{"garbage", "10.1.2.3:4444", []string{"unknown"}, "10.1.2.3"},
		{"garbage on the left", "10.1.2.3:4444", []string{"x y\x00, 198.51.100.7"}, "198.51.100.7"},
		{"garbage on the right", "10.1.2.3:4444", []string{"198.51.100.7, _hidden"}, "10.1.2.3"},
		{"a trailing comma", "10.1.2.3:4444", []string{"198.51.100.7,"}, "10.1.2.3"},
		{"many commas", "10.1.2.3:4444", []string{",,,,"}, "10.1.2.3"},
		{"no spaces, and tabs", "10.1.2.3:4444", []string{"1.1.1.1,198.51.100.7\t"}, "198.51.100.7"},
		{"IPv6", "[2001:db9::5]:4444", []string{"198.51.100.7"}, "2001:db9::5"},
		{"an IPv6 proxy", "[2001:db8::5]:4444", []string{"2001:db9::7"}, "2001:db9::7"},
		{"an IPv4 proxy seen over IPv6", "[::ffff:10.1.2.3]:4444", []string{"198.51.100.7"}, "198.51.100.7"},
		{"no port", "10.1.2.3", []string{"198.51.100.7"}, "198.51.100.7"},
		{"a Unix socket", "@", []string{"198.51.100.7"}, "@"},
	} {
		t.Run(c.what, func(t *testing.T) {
			t.Parallel()
			r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.forwarded}}
			if got := addressOf(r, proxies); got != c.want {
				t.Errorf("%s, %q: %s, want %s", c.remote, c.forwarded, got, c.want)
			}
		})
	}
	r := &http.Request{RemoteAddr: "10.1.2.3:4444", Header: http.Header{"X-Forwarded-For": {"198.51.100.7"}}}
	if got := addressOf(r, nil); got != "10.1.2.3" {
		t.Errorf("no proxy is trusted, and the address is %s", got)
	}
}

// One client is one client, however its address is written.
func TestAddressOfIsOneForEachClient(t *testing.T) {
	t.Parallel()
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	for what, ways := range map[string][]string{
		"IPv4": {"198.51.100.7", "::ffff:198.51.100.7", "198.51.100.7:4444"},
		"IPv6": {"2001:db9::7", "2001:DB9:0:0::7", "[2001:db9::7]:4444"},
	} {
		for _, way := range ways {
			r := &http.Request{RemoteAddr: "10.1.2.3:4444", Header: http.Header{"X-Forwarded-For": {way}}}
			if got := addressOf(r, proxies); got != ways[0] {
				t.Errorf("%s: %s is counted as %s, want %s", what, way, got, ways[0])
			}
		}
	}
}

func TestParseProxies(t *testing.T) {
	t.Parallel()
	got, err := ParseProxies([]string{"10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1", "::ffff:192.0.2.2"})
	want := []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.2/32"),
	}
	if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"", "x", "10.0.0.0/33", "10.0.0", "example.org", "10.0.0.0/8/8", "*"} {
		if got, err := ParseProxies([]string{"10.0.0.1", bad}); err == nil {
			t.Errorf("%q gave %v", bad, got)
		}
	}
	if got, err := ParseProxies(nil); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// However few operations a member may run, a socket is not closed for the pings that keep it open: its client's own, of the
// protocol and of websockets, and the pongs for ours.
func TestSignsOfLifeAtLowRates(t *testing.T) {
	t.Parallel()
	for _, request := range []float64{0.0001, 0.02, 0.05, 1} {
		rates := Rates{Request: request, RequestBurst: 1}
		socket := rate.NewLimiter(rate.Limit(messageRate(rates)), messageBurst(rates))
		began := time.Now()
		for second := range 24 * 60 * 60 {
			now := began.Add(time.Duration(second) * time.Second)
			sent := 0
			for _, every := range []int{5, 10, 25, int(2/request) + 1} {
				if second%every == 0 {
					sent++
				}
			}
			if !socket.AllowN(now, sent) {
				t.Fatalf("%v operations a second: closed after %d s", request, second)
			}
		}
	}
	if got := messageRate(Rates{RequestBurst: 300}); got != 0 {
		t.Errorf("without a limit there is one: %v", got)
	}
}
