package server

import (
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/acquaint/acquaint/graph"
	"github.com/acquaint/acquaint/internal/graphqlhttp"
)

// Rates are how many requests a second the server takes; 0 is without a limit.
type Rates struct {
	Request        float64 // of one member, and on one socket
	RequestBurst   int     // at once
	Address        float64 // of one address; bursts of the same seconds as a member's
	TrustedProxies []netip.Prefix
}

// What a socket may send beside its operations, however few those may be: connection_init, pings, and pongs for ours.
const (
	signsOfLife      = 1.0 // a second
	signsOfLifeBurst = 10
)

// messageRate is how many messages a second a socket may send; 0 is without a limit.
func messageRate(rates Rates) float64 {
	if rates.Request <= 0 {
		return 0
	}
	return 2*rates.Request + signsOfLife // an operation is two messages: subscribe and complete
}

func messageBurst(rates Rates) int { return 2*rates.RequestBurst + signsOfLifeBurst }

// rememberedClients is how many members, and addresses, are counted apart. One that was forgotten starts anew.
const rememberedClients = 100_000

// limiters counts the requests of many clients, each with a bucket of its own.
type limiters struct {
	limit rate.Limit
	burst int
	known *lru.Cache[string, *rate.Limiter]
}

// newLimiters makes limiters; nil when there is no limit.
func newLimiters(perSecond float64, burst int) *limiters {
	if perSecond <= 0 {
		return nil
	}
	known, err := lru.New[string, *rate.Limiter](rememberedClients)
	if err != nil {
		panic(err) // the size is positive
	}
	return &limiters{limit: rate.Limit(perSecond), burst: max(burst, 1), known: known}
}

// take counts one request, and gives how long to wait instead when there were too many; 0 is to go ahead.
func (l *limiters) take(client string, now time.Time) time.Duration {
	if l == nil {
		return 0
	}
	bucket, ok := l.known.Get(client)
	if !ok {
		fresh := rate.NewLimiter(l.limit, l.burst)
		if before, was, _ := l.known.PeekOrAdd(client, fresh); was {
			bucket = before
		} else {
			bucket = fresh
		}
	}
	reservation := bucket.ReserveN(now, 1)
	wait := reservation.DelayFrom(now)
	if wait > 0 {
		reservation.CancelAt(now)
	}
	return wait
}

// retryAfter is the header that says how many seconds to wait.
func retryAfter(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
}

// addressOf is the client's address: that of the connection, unless that is a trusted proxy's; then the last one in
// X-Forwarded-For that is not.
func addressOf(r *http.Request, proxies []netip.Prefix) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for trusted(host, proxies) && len(hops) > 0 {
		next, ok := parseHop(strings.TrimSpace(hops[len(hops)-1]))
		if !ok {
			break
		}
		host, hops = next, hops[:len(hops)-1]
	}
	return host
}

// parseHop reads an address that a proxy noted, some with a port, and writes it in the one way by which it is counted.
func parseHop(s string) (string, bool) {
	address, err := netip.ParseAddr(s)
	if err != nil {
		withPort, err := netip.ParseAddrPort(s)
		if err != nil {
			return "", false
		}
		address = withPort.Addr()
	}
	return address.Unmap().String(), true
}

func trusted(host string, proxies []netip.Prefix) bool {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	for _, p := range proxies {
		if p.Contains(address.Unmap()) {
			return true
		}
	}
	return false
}

// ParseProxies reads addresses and ranges, as in 10.0.0.0/8 or 192.0.2.1.
func ParseProxies(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		if address, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(address.Unmap(), address.Unmap().BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a range such as 10.0.0.0/8", s)
		}
		out = append(out, p)
	}
	return out, nil
}

// limitAddress refuses the requests of an address that sends too many, whoever sends them.
func (s *Server) limitAddress(next http.Handler) http.Handler {
	if s.addresses == nil {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if wait := s.addresses.take(networkOf(addressOf(r, s.options.Limits.Rates.TrustedProxies)), time.Now()); wait > 0 {
			s.options.Limited(LimitAddressRate)
			tooMany(w, r, wait)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// networkOf is what of an address is counted: one client has a whole /64 of IPv6.
func networkOf(host string) string {
	const network = 64
	address, err := netip.ParseAddr(host)
	if err != nil || address.Is4() {
		return host
	}
	prefix, err := address.Prefix(network)
	if err != nil {
		return host
	}
	return prefix.String()
}

// tooMany answers a request that came too soon.
func tooMany(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	retryAfter(w, wait)
	graphqlhttp.Reject(w, r, http.StatusTooManyRequests, graph.CodeRateLimited, "Too many requests; Retry-After says when to try again.")
}
