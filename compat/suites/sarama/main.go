// sarama's smoke: `program ADDRESS`. One line of TAP for each deed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

var (
	address = []string{os.Args[1]}
	start   = time.UnixMilli(time.Now().UnixMilli())
	failed  = false
	admin   sarama.ClusterAdmin
)

func check(name string, deed func()) {
	defer func() {
		if err := recover(); err != nil {
			failed = true
			fmt.Printf("not ok %s - %s\n", name, strings.Join(strings.Fields(fmt.Sprint(err)), " "))
		} else {
			fmt.Printf("ok %s\n", name)
		}
	}()
	deed()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func got[T any](value T, err error) T {
	must(err)
	return value
}

func equal(found, wanted any) {
	if fmt.Sprint(found) != fmt.Sprint(wanted) {
		panic(fmt.Sprintf("%v instead of %v", found, wanted))
	}
}

func until(what string, condition func() bool) {
	for deadline := time.Now().Add(30 * time.Second); !condition(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			panic(what + ": not within 30 seconds")
		}
	}
}

// settings speak as the given version of Kafka does; the zero value is the newest that sarama knows.
func settings(version sarama.KafkaVersion) *sarama.Config {
	config := sarama.NewConfig()
	config.Version = version
	config.Producer.Return.Successes = true
	config.Producer.Partitioner = sarama.NewManualPartitioner
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Group.Heartbeat.Interval = 300 * time.Millisecond
	return config
}

func newest() *sarama.Config { return settings(sarama.MaxVersion) }

func create(topic string, partitions int32) string {
	must(admin.CreateTopic(topic, &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: 1}, false))
	return topic
}

func messages(topic string, partition int32, count int, headers bool) []*sarama.ProducerMessage {
	all := make([]*sarama.ProducerMessage, count)
	for n := range all {
		all[n] = &sarama.ProducerMessage{
			Topic: topic, Partition: partition, Timestamp: start.Add(time.Duration(n) * time.Millisecond),
			Key: sarama.StringEncoder(fmt.Sprintf("key-%d", n)), Value: sarama.StringEncoder(fmt.Sprintf("value-%d", n)),
		}
		if headers {
			all[n].Headers = []sarama.RecordHeader{{Key: []byte("h"), Value: fmt.Appendf(nil, "%d", n)}}
		}
	}
	return all
}

func send(config *sarama.Config, topic string, partition int32, count int) {
	producer := got(sarama.NewSyncProducer(address, config))
	defer producer.Close()
	must(producer.SendMessages(messages(topic, partition, count, config.Version.IsAtLeast(sarama.V0_11_0_0))))
}

func read(config *sarama.Config, topic string, partition int32, count int) (found []*sarama.ConsumerMessage) {
	consumer := got(sarama.NewConsumer(address, config))
	defer consumer.Close()
	part := got(consumer.ConsumePartition(topic, partition, sarama.OffsetOldest))
	defer part.Close()
	for timeout := time.After(20 * time.Second); len(found) < count; {
		select {
		case message := <-part.Messages():
			found = append(found, message)
		case <-timeout:
			panic(fmt.Sprintf("%d of %d records", len(found), count))
		}
	}
	return found
}

func roundTrip(version sarama.KafkaVersion, codec sarama.CompressionCodec) func() {
	return func() {
		config := settings(version)
		config.Producer.Compression = codec
		topic := create(fmt.Sprintf("round-%s-%s", codec, version), 1)
		send(config, topic, 0, 500)
		for n, message := range read(config, topic, 0, 500) {
			found := fmt.Sprintf("%d %s %s", message.Offset, message.Key, message.Value)
			equal(found, fmt.Sprintf("%d key-%d value-%d", n, n, n))
			if version.IsAtLeast(sarama.V0_10_0_0) {
				equal(message.Timestamp.UnixMilli(), start.UnixMilli()+int64(n))
			}
			if version.IsAtLeast(sarama.V0_11_0_0) {
				equal(string(message.Headers[0].Value), n)
			}
		}
	}
}

// member notes what it reads and how many partitions it has.
type member struct {
	lock  *sync.Mutex
	seen  map[string]bool
	parts int
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.lock.Lock()
	defer m.lock.Unlock()
	m.parts = 0
	for _, partitions := range session.Claims() {
		m.parts += len(partitions)
	}
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for message := range claim.Messages() {
		m.lock.Lock()
		m.seen[fmt.Sprintf("%d@%d", message.Partition, message.Offset)] = true
		m.lock.Unlock()
		session.MarkMessage(message, "kept")
	}
	return nil
}

func share() {
	topic := create("shared", 4)
	for partition := range int32(4) {
		send(newest(), topic, partition, 50)
	}
	lock, seen := &sync.Mutex{}, map[string]bool{}
	members := []*member{{lock: lock, seen: seen}, {lock: lock, seen: seen}}
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, one := range members {
		group := got(sarama.NewConsumerGroup(address, "sharers", newest()))
		running.Go(func() {
			for ctx.Err() == nil {
				group.Consume(ctx, []string{topic}, one)
			}
			group.Close()
		})
	}
	defer func() {
		stop()
		running.Wait()
		offsets := got(admin.ListConsumerGroupOffsets("sharers", map[string][]int32{topic: {0, 1, 2, 3}}))
		for partition := range int32(4) {
			block := offsets.GetBlock(topic, partition)
			equal(fmt.Sprintf("%d %s", block.Offset, block.Metadata), "50 kept")
		}
		must(admin.DeleteConsumerGroup("sharers"))
	}()
	until("200 records between two members", func() bool {
		lock.Lock()
		defer lock.Unlock()
		return len(seen) == 200 && members[0].parts == 2 && members[1].parts == 2
	})
	described := got(admin.DescribeConsumerGroups([]string{"sharers"}))
	equal(described[0].State, "Stable")
	equal(len(described[0].Members), 2)
}

func byTime() {
	topic := create("timed", 1)
	send(newest(), topic, 0, 100)
	client := got(sarama.NewClient(address, newest()))
	defer client.Close()
	for at, wanted := range map[int64]int64{sarama.OffsetOldest: 0, sarama.OffsetNewest: 100, start.UnixMilli() + 40: 40} {
		equal(got(client.GetOffset(topic, 0, at)), wanted)
	}
}

func topics() {
	topic := create("configured", 2)
	value := "54321"
	change := map[string]sarama.IncrementalAlterConfigsEntry{
		"retention.ms": {Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value},
	}
	must(admin.IncrementalAlterConfig(sarama.TopicResource, topic, change, false))
	wanted := sarama.ConfigResource{Type: sarama.TopicResource, Name: topic, ConfigNames: []string{"retention.ms"}}
	equal(got(admin.DescribeConfig(wanted))[0].Value, value)
	must(admin.CreatePartitions(topic, 3, nil, false))
	until("three partitions", func() bool {
		return len(got(admin.DescribeTopics([]string{topic}))[0].Partitions) == 3
	})
	if len(got(admin.DescribeLogDirs([]int32{got(admin.Controller()).ID()}))) == 0 {
		panic("no directories")
	}
	must(admin.DeleteTopic(topic))
	until("the topic is gone", func() bool {
		_, there := got(admin.ListTopics())[topic]
		return !there
	})
}

func deleteRecords() {
	topic := create("shortened", 1)
	send(newest(), topic, 0, 20)
	must(admin.DeleteRecords(topic, map[int32]int64{0: 7}))
	equal(read(newest(), topic, 0, 13)[0].Offset, 7)
}

func transactional(id string) sarama.SyncProducer {
	config := newest()
	config.Producer.Idempotent = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Transaction.ID = id
	config.Net.MaxOpenRequests = 1
	return got(sarama.NewSyncProducer(address, config))
}

func one(topic, value string) *sarama.ProducerMessage {
	return &sarama.ProducerMessage{Topic: topic, Value: sarama.StringEncoder(value)}
}

func transactions() {
	topic, source := create("transacted", 1), create("source", 1)
	producer := transactional("s1")
	defer producer.Close()
	for n := range 4 {
		must(producer.BeginTxn())
		got2(producer.SendMessage(one(topic, fmt.Sprint(n))))
		offsets := map[string][]*sarama.PartitionOffsetMetadata{source: {{Partition: 0, Offset: int64(n + 1)}}}
		must(producer.AddOffsetsToTxn(offsets, "transacting"))
		if n%2 == 0 {
			must(producer.CommitTxn())
		} else {
			must(producer.AbortTxn())
		}
	}
	config := newest()
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	found := read(config, topic, 0, 2)
	equal(string(found[0].Value)+string(found[1].Value), "02")
	equal(len(read(newest(), topic, 0, 4)), 4)
	offsets := got(admin.ListConsumerGroupOffsets("transacting", map[string][]int32{source: {0}}))
	equal(offsets.GetBlock(source, 0).Offset, 3)
}

func got2(_ int32, _ int64, err error) { must(err) }

func fencing() {
	topic := create("fenced", 1)
	first := transactional("s2")
	must(first.BeginTxn())
	got2(first.SendMessage(one(topic, "never")))
	second := transactional("s2")
	must(second.BeginTxn())
	got2(second.SendMessage(one(topic, "seen")))
	must(second.CommitTxn())
	if err := first.CommitTxn(); err == nil || errors.Is(err, sarama.ErrOutOfBrokers) {
		panic(fmt.Sprintf("the fenced producer got %v", err))
	}
	second.Close()
}

func main() {
	admin = got(sarama.NewClusterAdmin(address, newest()))
	codecs := []sarama.CompressionCodec{
		sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4,
	}
	for _, codec := range append(codecs, sarama.CompressionZSTD) {
		check("round trip "+codec.String(), roundTrip(sarama.MaxVersion, codec))
	}
	for _, version := range []sarama.KafkaVersion{sarama.V0_8_2_0, sarama.V0_10_2_0, sarama.V1_0_0_0, sarama.V2_1_0_0} {
		for _, codec := range codecs {
			// LZ4 came with 0.10 in a form that others can read.
			if codec != sarama.CompressionLZ4 || version.IsAtLeast(sarama.V0_10_0_0) {
				check(fmt.Sprintf("as Kafka %s: round trip %s", version, codec), roundTrip(version, codec))
			}
		}
	}
	check("a group shares and commits", share)
	check("offsets by time", byTime)
	check("topics, settings and directories", topics)
	check("records are deleted up to an offset", deleteRecords)
	check("transactions: committed is seen, aborted is not", transactions)
	check("a second producer with the same id fences the first", fencing)
	if failed {
		os.Exit(1)
	}
}
