package chaos

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"strings"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"

	"oms.internal/deploy/internal/systemtest"
)

// link is a proxy between two parts of the system.
type link struct{ proxy *toxiproxy.Proxy }

// links are all of them.
type links struct {
	database       [2]*link // services to the first and the second database server
	replication    [2]*link // a replica to the first and the second database server
	natsOfServices *link
	natsOfGateways *link
	accounts       []*link // gateways to each instance
	orders         []*link

	all    []*link
	server *toxiproxy.ApiServer
}

func newLinks(s *system) (*links, error) {
	l := &links{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())}
	var err error
	for i, variable := range []string{"PRIMARY_PORT", "REPLICA_PORT"} {
		if l.database[i], err = l.open("services to database", s.Address(variable)); err != nil {
			return nil, err
		}
		if l.replication[i], err = l.open("replica to database", s.Address(variable)); err != nil {
			return nil, err
		}
	}
	if l.natsOfServices, err = l.open("services to NATS", s.Address("NATS_PORT")); err != nil {
		return nil, err
	}
	l.natsOfGateways, err = l.open("gateways to NATS", s.Address("NATS_PORT"))
	return l, err
}

// behind opens links to instances.
func (l *links) behind(accounts, orders []*systemtest.Instance) error {
	for instances, to := range map[*[]*link][]*systemtest.Instance{&l.accounts: accounts, &l.orders: orders} {
		for _, one := range to {
			opened, err := l.open("gateways to "+one.Name(), strings.TrimPrefix(one.URL, "http://"))
			if err != nil {
				return err
			}
			*instances = append(*instances, opened)
		}
	}
	return nil
}

func (l *links) open(name, upstream string) (*link, error) {
	opened := &link{proxy: toxiproxy.NewProxy(l.server, name, "127.0.0.1:0", upstream)}
	if err := opened.proxy.Start(); err != nil {
		return nil, err
	}
	l.all = append(l.all, opened)
	return opened, nil
}

func (l *links) close() {
	for _, one := range l.all {
		one.proxy.Stop()
	}
}

func (l *link) addr() string { return l.proxy.Listen }

// disturb puts a toxic into a direction of the link ("upstream" is towards the server), for connections that exist too.
func (l *link) disturb(kind, direction string, toxicity float64, attributes any) error {
	encoded, err := json.Marshal(map[string]any{
		"name": kind + direction, "type": kind, "stream": direction, "toxicity": toxicity, "attributes": attributes,
	})
	if err != nil {
		return err
	}
	_, err = l.proxy.Toxics.AddToxicJson(strings.NewReader(string(encoded)))
	return err
}

// heal takes all toxics away.
func (l *link) heal(ctx context.Context) { l.proxy.Toxics.ResetToxics(ctx) }

// reset cuts every connection in the middle of what it carries, and resets new ones until duration has passed.
func (l *link) reset(ctx context.Context, duration time.Duration) error {
	defer l.heal(ctx)
	for _, direction := range []string{"upstream", "downstream"} {
		if err := l.disturb("reset_peer", direction, 1, map[string]int{"timeout": 0}); err != nil {
			return err
		}
	}
	rest(ctx, duration)
	return nil
}

// cutToxic lets a random number of bytes through and then closes the connection.
type cutToxic struct {
	// Most is the largest number; answers shorter than what was drawn arrive whole.
	Most int `json:"most"`
}

func init() { toxics.Register("cut", new(cutToxic)) }

// Pipe is called once for each connection.
func (c *cutToxic) Pipe(stub *toxics.ToxicStub) {
	left := rand.IntN(c.Most)
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				stub.Close()
				return
			}
			if left < len(chunk.Data) {
				chunk = &stream.StreamChunk{Timestamp: chunk.Timestamp, Data: chunk.Data[:left]}
			}
			left -= len(chunk.Data)
			if len(chunk.Data) > 0 {
				stub.Output <- chunk
			}
			if left == 0 {
				stub.Close()
				drain(stub.Input)
				return
			}
		}
	}
}

// drain reads what is not passed on any more: the server's side would wait for it for ever.
func drain(input <-chan *stream.StreamChunk) {
	for chunk := range input {
		if chunk == nil {
			return
		}
	}
}
