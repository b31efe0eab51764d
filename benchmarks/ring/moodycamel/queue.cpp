// The loops of package ring over moodycamel::ConcurrentQueue. It reads lines "case n" from standard input and answers each
// with "items nanoseconds sum share": items that passed, wall time, sum of their ids, share of the slower thread.
#include <concurrentqueue.h>

#include <immintrin.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

constexpr size_t capacity = 1024, lap = 1024, batch = 64;

struct item {
	uint64_t id;
	long producer;
};
static item items[lap];

using queue = moodycamel::ConcurrentQueue<item *>;
using moodycamel::ConsumerToken;
using moodycamel::ProducerToken;

// As patience in contender.go: a few pauses, then a yield, then again.
struct patience {
	int n = 0;
	void wait() {
		if (++n <= 16) {
			for (int i = 0; i < 4; i++) _mm_pause();
			return;
		}
		n = 0;
		sched_yield();
	}
};

static uint64_t pairs(queue &q, ProducerToken &in, ConsumerToken &out, size_t n) {
	uint64_t sum = 0;
	patience p;
	for (size_t i = 0; i < n; i++) {
		while (!q.enqueue(in, &items[i % lap])) p.wait();
		item *it;
		while (!q.try_dequeue(out, it)) p.wait();
		sum += it->id;
	}
	return sum;
}

static void produce(queue &q, size_t n) {
	ProducerToken in(q);
	patience p;
	for (size_t i = 0; i < n; i++)
		while (!q.enqueue(in, &items[i % lap])) p.wait();
}

static uint64_t consume(queue &q, size_t n) {
	ConsumerToken out(q);
	uint64_t sum = 0;
	patience p;
	for (size_t i = 0; i < n; i++) {
		item *it;
		while (!q.try_dequeue(out, it)) p.wait();
		sum += it->id;
	}
	return sum;
}

static void produceBatches(queue &q, size_t n) {
	ProducerToken in(q);
	patience p;
	item *vs[batch];
	for (size_t at = 0; at < n; at += batch) {
		for (size_t i = 0; i < batch; i++) vs[i] = &items[(at + i) % lap];
		while (!q.enqueue_bulk(in, vs, std::min(batch, n - at))) p.wait();
	}
}

static uint64_t consumeBatches(queue &q, size_t n) {
	ConsumerToken out(q);
	uint64_t sum = 0;
	patience p;
	item *vs[batch];
	for (size_t got = 0; got < n;) {
		size_t k = q.try_dequeue_bulk(out, vs, std::min(batch, n - got));
		if (!k) p.wait();
		for (size_t i = 0; i < k; i++) sum += vs[i]->id;
		got += k;
	}
	return sum;
}

using clk = std::chrono::steady_clock;

// As race in cases.go: n runners that start at once, timed from the first start to the last finish.
static double race(int n, const std::function<void(int)> &run) {
	std::vector<clk::time_point> start(n), finish(n);
	std::atomic<int> missing{n};
	std::vector<std::thread> all;
	for (int i = 0; i < n; i++)
		all.emplace_back([&, i] {
			missing--;
			while (missing > 0) sched_yield();
			start[i] = clk::now();
			run(i);
			finish[i] = clk::now();
		});
	for (auto &t : all) t.join();
	return std::chrono::duration<double, std::nano>(*std::max_element(finish.begin(), finish.end()) -
	                                                *std::min_element(start.begin(), start.end()))
	    .count();
}

int main() {
	for (size_t i = 0; i < lap; i++) items[i].id = i + 1;
	queue q(capacity, 4, 0);
	char name[32];
	size_t n;
	while (std::scanf("%31s %zu", name, &n) == 2) {
		const std::string what = name;
		size_t count = n;
		std::atomic<uint64_t> sum{0};
		double took, share = 0;
		auto crowd = [&](size_t k, auto produce, auto consume) {
			size_t each = std::max(n / k / lap, size_t(1)) * lap;
			count = k * each;
			took = race(2 * k, [&](int i) {
				if (i % 2 == 0)
					produce(q, each);
				else
					sum += consume(q, each);
			});
		};
		if (what == "pair") {
			ProducerToken in(q);
			ConsumerToken out(q);
			auto began = clk::now();
			sum = pairs(q, in, out, n);
			took = std::chrono::duration<double, std::nano>(clk::now() - began).count();
		} else if (what == "1P1C" || what == "2P2C") {
			crowd(what[0] - '0', produce, consume);
		} else if (what == "batch-64") {
			crowd(1, produceBatches, consumeBatches);
		} else if (what == "2T") {
			constexpr size_t burst = 64;
			const size_t goal = std::max(n / 2 / burst, size_t(1)) * burst;
			std::atomic<bool> stop{false};
			size_t counts[2];
			took = race(2, [&](int t) {
				ProducerToken in(q);
				ConsumerToken out(q);
				size_t done = 0;
				uint64_t mine = 0;
				for (; done < goal && !stop; done += burst) mine += pairs(q, in, out, burst);
				stop = true;
				counts[t] = done;
				sum += mine;
			});
			count = counts[0] + counts[1];
			share = double(std::min(counts[0], counts[1])) / count;
		} else {
			return 1;
		}
		std::printf("%zu %.0f %llu %.6f\n", count, took, (unsigned long long)sum.load(), share);
		std::fflush(stdout);
	}
}
