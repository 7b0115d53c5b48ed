// franz-go's smoke: `program ADDRESS`. One line of TAP for each deed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var (
	address = os.Args[1]
	start   = time.UnixMilli(time.Now().UnixMilli())
	failed  = false
	adm     *kadm.Client
)

func check(name string, deed func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	if err := deed(ctx); err != nil {
		failed = true
		fmt.Printf("not ok %s - %s\n", name, strings.Join(strings.Fields(err.Error()), " "))
	} else {
		fmt.Printf("ok %s\n", name)
	}
}

func equal(found, wanted any) error {
	if fmt.Sprint(found) != fmt.Sprint(wanted) {
		return fmt.Errorf("%v instead of %v", found, wanted)
	}
	return nil
}

func client(options ...kgo.Opt) *kgo.Client {
	cl, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(address)}, options...)...)
	if err != nil {
		panic(err)
	}
	return cl
}

func create(ctx context.Context, topic string, partitions int32) (string, error) {
	_, err := adm.CreateTopic(ctx, partitions, 1, nil, topic)
	return topic, err
}

func send(ctx context.Context, topic string, partition int32, count int, options ...kgo.Opt) error {
	cl := client(append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	defer cl.Close()
	records := make([]*kgo.Record, count)
	for n := range records {
		records[n] = &kgo.Record{
			Topic: topic, Partition: partition, Timestamp: start.Add(time.Duration(n) * time.Millisecond),
			Key: fmt.Appendf(nil, "key-%d", n), Value: fmt.Appendf(nil, "value-%d", n),
			Headers: []kgo.RecordHeader{{Key: "h", Value: fmt.Appendf(nil, "%d", n)}},
		}
	}
	return cl.ProduceSync(ctx, records...).FirstErr()
}

func poll(ctx context.Context, cl *kgo.Client, count int) (found []*kgo.Record, err error) {
	for len(found) < count {
		fetches := cl.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return found, fmt.Errorf("%d of %d records: %w", len(found), count, err)
		}
		found = append(found, fetches.Records()...)
	}
	return found, nil
}

func read(ctx context.Context, topic string, count int, options ...kgo.Opt) ([]*kgo.Record, error) {
	cl := client(append(options, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))...)
	defer cl.Close()
	return poll(ctx, cl, count)
}

func roundTrip(name string, codec kgo.CompressionCodec) func(context.Context) error {
	return func(ctx context.Context) error {
		topic, err := create(ctx, "round-"+name, 1)
		if err != nil {
			return err
		}
		if err := send(ctx, topic, 0, 1000, kgo.ProducerBatchCompression(codec)); err != nil {
			return err
		}
		found, err := read(ctx, topic, 1000)
		for n, r := range found {
			wanted := fmt.Sprintf("%d key-%d value-%d %d h%d", n, n, n, start.UnixMilli()+int64(n), n)
			h := r.Headers[0]
			err = equal(fmt.Sprintf("%d %s %s %d %s%s", r.Offset, r.Key, r.Value, r.Timestamp.UnixMilli(), h.Key, h.Value), wanted)
			if err != nil {
				return err
			}
		}
		return err
	}
}

// share has two members of a group read four partitions, each two of them, and commit.
func share(group string, ctx context.Context, options ...kgo.Opt) error {
	topic, err := create(ctx, "shared-"+group, 4)
	if err != nil {
		return err
	}
	for partition := range int32(4) {
		if err := send(ctx, topic, partition, 50); err != nil {
			return err
		}
	}
	assigned := make(chan int, 100)
	changed := func(_ context.Context, _ *kgo.Client, m map[string][]int32) { assigned <- len(m[topic]) }
	removed := func(_ context.Context, _ *kgo.Client, m map[string][]int32) { assigned <- -len(m[topic]) }
	options = append(options, kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	first := client(append(options, kgo.OnPartitionsAssigned(changed), kgo.OnPartitionsRevoked(removed))...)
	defer first.Close()
	found, err := poll(ctx, first, 200)
	if err != nil {
		return err
	}
	if err := first.CommitRecords(ctx, found...); err != nil {
		return err
	}
	wait := func(wanted int, have *int) error {
		for *have != wanted {
			select {
			case change := <-assigned:
				*have += change
			case <-ctx.Done():
				return fmt.Errorf("%d partitions instead of %d", *have, wanted)
			}
		}
		return nil
	}
	have := 0
	if err := wait(4, &have); err != nil {
		return err
	}
	second := client(options...)
	background, stop := context.WithCancel(ctx)
	go func() {
		for background.Err() == nil {
			second.PollFetches(background)
		}
	}()
	go func() {
		for background.Err() == nil {
			first.PollFetches(background)
		}
	}()
	err = wait(2, &have)
	stop()
	second.Close()
	if err != nil {
		return err
	}
	offsets, err := adm.FetchOffsets(ctx, group)
	if err != nil {
		return err
	}
	for partition := range int32(4) {
		committed, _ := offsets.Lookup(topic, partition)
		if err := equal(committed.At, 50); err != nil {
			return err
		}
	}
	return nil
}

func byTime(ctx context.Context) error {
	topic, err := create(ctx, "timed", 1)
	if err != nil {
		return err
	}
	if err := send(ctx, topic, 0, 100); err != nil {
		return err
	}
	starts, err1 := adm.ListStartOffsets(ctx, topic)
	ends, err2 := adm.ListEndOffsets(ctx, topic)
	mid, err3 := adm.ListOffsetsAfterMilli(ctx, start.UnixMilli()+40, topic)
	last, err4 := adm.ListMaxTimestampOffsets(ctx, topic)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	var found []int64
	for _, offsets := range []kadm.ListedOffsets{starts, ends, mid, last} {
		at, _ := offsets.Lookup(topic, 0)
		found = append(found, at.Offset)
	}
	return equal(found, []int64{0, 100, 40, 99})
}

func topics(ctx context.Context) error {
	topic, err := create(ctx, "configured", 2)
	if err != nil {
		return err
	}
	value := "54321"
	changes := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &value}}
	if _, err := adm.AlterTopicConfigs(ctx, changes, topic); err != nil {
		return err
	}
	described, err := adm.DescribeTopicConfigs(ctx, topic)
	if err != nil {
		return err
	}
	for _, config := range described[0].Configs {
		if config.Key == "retention.ms" {
			err = equal(*config.Value, value)
		}
	}
	if err != nil {
		return err
	}
	if answers, err := adm.CreatePartitions(ctx, 1, topic); err != nil || answers.Error() != nil {
		return errors.Join(err, answers.Error())
	}
	listed, err := adm.ListTopics(ctx, topic)
	if err != nil {
		return err
	}
	if err := equal(len(listed[topic].Partitions), 3); err != nil {
		return err
	}
	answers, err := adm.DeleteTopics(ctx, topic)
	return errors.Join(err, answers.Error())
}

func deleteRecords(ctx context.Context) error {
	topic, err := create(ctx, "shortened", 1)
	if err != nil {
		return err
	}
	if err := send(ctx, topic, 0, 20); err != nil {
		return err
	}
	var upTo kadm.Offsets
	upTo.Add(kadm.Offset{Topic: topic, Partition: 0, At: 7})
	if _, err := adm.DeleteRecords(ctx, upTo); err != nil {
		return err
	}
	found, err := read(ctx, topic, 13)
	if err != nil {
		return err
	}
	return equal(found[0].Offset, 7)
}

func transactions(ctx context.Context) error {
	topic, err := create(ctx, "transacted", 1)
	if err != nil {
		return err
	}
	cl := client(kgo.TransactionalID("g1"), kgo.DefaultProduceTopic(topic))
	defer cl.Close()
	for n := range 4 {
		if err := cl.BeginTransaction(); err != nil {
			return err
		}
		if err := cl.ProduceSync(ctx, kgo.StringRecord(fmt.Sprint(n))).FirstErr(); err != nil {
			return err
		}
		if err := cl.EndTransaction(ctx, kgo.TransactionEndTry(n%2 == 0)); err != nil {
			return err
		}
	}
	found, err := read(ctx, topic, 2, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return err
	}
	return equal(string(found[0].Value)+string(found[1].Value), "02")
}

func fencing(ctx context.Context) error {
	topic, err := create(ctx, "fenced", 1)
	if err != nil {
		return err
	}
	options := []kgo.Opt{kgo.TransactionalID("g2"), kgo.DefaultProduceTopic(topic)}
	first, second := client(options...), client(options...)
	defer second.Close()
	for _, cl := range []*kgo.Client{first, second} {
		if err := cl.BeginTransaction(); err != nil {
			return err
		}
		if err := cl.ProduceSync(ctx, kgo.StringRecord("one")).FirstErr(); err != nil {
			return err
		}
	}
	err = first.EndTransaction(ctx, kgo.TryCommit)
	go first.Close()
	if !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidProducerEpoch) {
		return fmt.Errorf("the fenced producer got %v", err)
	}
	return second.EndTransaction(ctx, kgo.TryCommit)
}

func main() {
	adm = kadm.NewClient(client())
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	for _, name := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		check("round trip "+name, roundTrip(name, codecs[name]))
	}
	check("a classic group shares and commits", func(ctx context.Context) error {
		return share("classic", ctx, kgo.HeartbeatInterval(300*time.Millisecond))
	})
	check("KIP-848: a group shares and commits", func(ctx context.Context) error {
		return share("modern", ctx, kgo.ServerSideBalancer(), kgo.Balancers(kgo.RangeBalancer()))
	})
	check("offsets by time", byTime)
	check("topics and settings", topics)
	check("records are deleted up to an offset", deleteRecords)
	check("transactions: committed is seen, aborted is not", transactions)
	check("a second producer with the same id fences the first", fencing)
	if failed {
		os.Exit(1)
	}
}
