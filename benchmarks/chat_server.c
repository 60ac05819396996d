/* A cheap loopback server of chat completions: one thread, epoll, a timing wheel of one millisecond.
 *
 *   chat_server PORT
 *   POST /v1/chat/completions    answers after the latency; an id "RQID-<digits>" in the body is counted
 *   POST /reset?lat=200&jit=20&p429=0&p500=0&pdrop=0&cap=0&ra=1    settings, and all counts to zero
 *   GET  /stats                  counts as JSON
 *
 * lat, jit: milliseconds, uniform in lat +- jit. p429, p500, pdrop: probability of a refusal, of an error, and of a
 * connection that is closed after the work. cap: most in flight, 429 above it. ra: Retry-After in seconds; 0: none.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST_IDS = 20000001, WHEEL = 65536, MOST_FDS = 65536 };
enum kind { ANSWER, REFUSE, FAIL, DROP };

typedef struct { int fd, cap, len, busy, continued, generation; char *buf; } conn;
typedef struct task { int fd, generation, prompt_bytes; enum kind kind; uint32_t id; struct task *next; } task;

static conn *conns[MOST_FDS];
static task *wheel[WHEEL], *spare;
static uint8_t *answers;
static long total, answered, refused, over_cap, failed, dropped, answered_again;
static int in_flight, most_in_flight, poll_fd, generations, latency = 200, jitter = 20, cap;
static double p429, p500, pdrop, retry_after = 1;
static uint64_t now_ms, seed = 88172645463325252ULL;
static char words[2048];

static double uniform(void) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (double)(seed >> 11) / 9007199254740992.0;
}

static uint64_t clock_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void drop(conn *c) {
    epoll_ctl(poll_fd, EPOLL_CTL_DEL, c->fd, NULL);
    close(c->fd);
    conns[c->fd] = NULL;
    free(c->buf);
    free(c);
}

static void send_all(int fd, const char *data, int n) {
    for (int sent = 0; sent < n;) {
        int r = (int)send(fd, data + sent, (size_t)(n - sent), MSG_NOSIGNAL);
        if (r < 0 && errno != EAGAIN) return;
        if (r < 0) usleep(50);
        else sent += r;
    }
}

static void reply(int fd, const char *status, const char *more, const char *body) {
    char out[16384];
    int n = snprintf(out, sizeof out,
                     "HTTP/1.1 %s\r\ncontent-type: application/json\r\n%scontent-length: %zu\r\n\r\n%s",
                     status, more, strlen(body), body);
    send_all(fd, out, n);
}

static void serve(conn *c);

static void fire(task *t) {
    conn *c = conns[t->fd];
    int there = c && c->generation == t->generation;
    in_flight--;
    if (t->kind == DROP) {
        dropped++;
        if (there) drop(c);
        there = 0;
    } else if (t->kind == ANSWER) {
        char body[8192];
        answered++;
        if (t->id < MOST_IDS) {
            answered_again += answers[t->id] > 0;
            if (answers[t->id] < 255) answers[t->id]++;
        }
        snprintf(body, sizeof body,
                 "{\"id\":\"chatcmpl-%ld\",\"object\":\"chat.completion\",\"created\":1790000000,\"model\":\"bench\","
                 "\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"{\\\"claims\\\": "
                 "[{\\\"section\\\": \\\"\\\", \\\"text\\\": \\\"RQID-%08u %s\\\", \\\"evidence\\\": [\\\"E001\\\"]}], "
                 "\\\"verdict\\\": 1}\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
                 "\"usage\":{\"prompt_tokens\":%d,\"completion_tokens\":190,\"total_tokens\":%d}}",
                 answered, t->id, words, t->prompt_bytes / 4, t->prompt_bytes / 4 + 190);
        if (there) reply(t->fd, "200 OK", "", body);
    } else if (t->kind == REFUSE) {
        char header[64] = "";
        if (retry_after > 0) snprintf(header, sizeof header, "retry-after: %g\r\n", retry_after);
        refused++;
        if (there)
            reply(t->fd, "429 Too Many Requests", header, "{\"error\":{\"code\":\"rate_limit_exceeded\"}}");
    } else {
        failed++;
        if (there) reply(t->fd, "500 Internal Server Error", "", "{\"error\":{\"type\":\"server_error\"}}");
    }
    if (there) {
        c->busy = 0;
        serve(c);
    }
    t->next = spare;
    spare = t;
}

static void later(conn *c, enum kind kind, int ms, uint32_t id, int prompt_bytes) {
    task *t = spare;
    if (t) spare = t->next;
    else t = malloc(sizeof *t);
    *t = (task){c->fd, c->generation, prompt_bytes, kind, id, NULL};
    uint64_t slot = (now_ms + (uint64_t)(ms < 1 ? 1 : ms >= WHEEL ? WHEEL - 1 : ms)) % WHEEL;
    t->next = wheel[slot];
    wheel[slot] = t;
    c->busy = 1;
    if (++in_flight > most_in_flight) most_in_flight = in_flight;
}

static void chat(conn *c, char *body, int length) {
    char *found = memmem(body, (size_t)length, "RQID-", 5);
    uint32_t id = found ? (uint32_t)strtoul(found + 5, NULL, 10) : MOST_IDS;
    int ms = latency + (int)((uniform() * 2 - 1) * jitter);
    double r = uniform();
    total++;
    if (cap && in_flight >= cap) over_cap++, later(c, REFUSE, 5, id, length);
    else if (r < p429) later(c, REFUSE, 5, id, length);
    else if (r < p429 + p500) later(c, FAIL, ms, id, length);
    else if (r < p429 + p500 + pdrop) later(c, DROP, ms, id, length);
    else later(c, ANSWER, ms, id, length);
}

static double setting(const char *line, const char *name, double otherwise) {
    const char *found = strstr(line, name);
    return found ? atof(found + strlen(name)) : otherwise;
}

static void reset(const char *line) {
    memset(answers, 0, MOST_IDS);
    total = answered = refused = over_cap = failed = dropped = answered_again = 0;
    most_in_flight = in_flight;
    latency = (int)setting(line, "lat=", 200), jitter = (int)setting(line, "jit=", 20);
    p429 = setting(line, "p429=", 0), p500 = setting(line, "p500=", 0), pdrop = setting(line, "pdrop=", 0);
    cap = (int)setting(line, "cap=", 0), retry_after = setting(line, "ra=", 1);
}

static void control(conn *c) {
    char line[512], body[1024];
    int n = (int)strcspn(c->buf, "\r");
    snprintf(line, sizeof line, "%.*s", n < 500 ? n : 500, c->buf);
    if (strstr(line, "/reset")) reset(line);
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    snprintf(body, sizeof body,
             "{\"total\":%ld,\"answered\":%ld,\"refused\":%ld,\"over_cap\":%ld,\"failed\":%ld,\"dropped\":%ld,"
             "\"answered_again\":%ld,\"in_flight\":%d,\"most_in_flight\":%d,\"cpu_s\":%.3f}",
             total, answered, refused, over_cap, failed, dropped, answered_again, in_flight, most_in_flight,
             (double)used.ru_utime.tv_sec + (double)used.ru_stime.tv_sec +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    reply(c->fd, "200 OK", "", body);
}

/* Take whole requests off the buffer, one at a time: the next one waits until this one is answered. */
static void serve(conn *c) {
    while (!c->busy) {
        c->buf[c->len] = 0;
        char *end = memmem(c->buf, (size_t)c->len, "\r\n\r\n", 4);
        if (!end) return;
        int head = (int)(end - c->buf) + 4, length = 0;
        *end = 0;
        char *field = strcasestr(c->buf, "\r\ncontent-length:");
        int chunked = strcasestr(c->buf, "\r\ntransfer-encoding: chunked") != NULL;
        int expects = strcasestr(c->buf, "\r\nexpect:") != NULL;
        if (field) length = atoi(field + 17);
        *end = '\r';
        if (chunked) {
            char *last = memmem(c->buf + head, (size_t)(c->len - head), "\r\n0\r\n\r\n", 7);
            if (!last) return;
            length = (int)(last - c->buf) + 7 - head;
        }
        if (expects && c->len == head && length && !c->continued) {
            send_all(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
            c->continued = 1;
            return;
        }
        if (head + length + 1 > c->cap) {
            c->cap = head + length + 65536;
            c->buf = realloc(c->buf, (size_t)c->cap);
            return;
        }
        if (c->len < head + length) return;
        c->continued = 0;
        if (memmem(c->buf, (size_t)head, "/chat/completions", 17)) chat(c, c->buf + head, length);
        else control(c);
        memmove(c->buf, c->buf + head + length, (size_t)(c->len - head - length));
        c->len -= head + length;
    }
}

static void take_connections(int listener) {
    for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
        if (fd >= MOST_FDS) {
            close(fd);
            continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        conn *c = calloc(1, sizeof *c);
        *c = (conn){.fd = fd, .cap = 32768, .generation = ++generations, .buf = malloc(32768)};
        conns[fd] = c;
        epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &(struct epoll_event){.events = EPOLLIN, .data.fd = fd});
    }
}

static void take_bytes(conn *c) {
    for (;;) {
        if (c->cap - c->len < 4096) c->buf = realloc(c->buf, (size_t)(c->cap *= 2));
        int room = c->cap - c->len - 1, r = (int)recv(c->fd, c->buf + c->len, (size_t)room, 0);
        if (r == 0 || (r < 0 && errno != EAGAIN)) {
            drop(c);
            return;
        }
        if (r < 0) break;
        c->len += r;
        if (r < room) break;
    }
    serve(c);
}

static void write_words(void) {
    const char *some[] = {"the", "patient", "had", "documented", "heart", "failure", "on", "admission", "with",
                          "rising", "creatinine", "and", "falling", "sodium", "consistent", "label"};
    for (int i = 0, n = 0; i < 150; i++) n += sprintf(words + n, "%s%s", i ? " " : "", some[i % 16]);
}

int main(int argc, char **argv) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)(argc > 1 ? atoi(argv[1]) : 8400)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    signal(SIGPIPE, SIG_IGN);
    setrlimit(RLIMIT_NOFILE, &(struct rlimit){MOST_FDS, MOST_FDS});
    answers = calloc(MOST_IDS, 1);
    write_words();
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) {
        perror("bind");
        return 1;
    }
    poll_fd = epoll_create1(0);
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, listener, &(struct epoll_event){.events = EPOLLIN, .data.fd = listener});
    now_ms = clock_ms();
    for (;;) {
        struct epoll_event ready[512];
        int n = epoll_wait(poll_fd, ready, 512, in_flight ? 1 : 100);
        uint64_t t = clock_ms();
        if (!in_flight) now_ms = t;
        while (now_ms < t) {
            task *due = wheel[++now_ms % WHEEL];
            wheel[now_ms % WHEEL] = NULL;
            while (due) {
                task *next = due->next;
                fire(due);
                due = next;
            }
        }
        for (int i = 0; i < n; i++) {
            if (ready[i].data.fd == listener) take_connections(listener);
            else if (conns[ready[i].data.fd]) take_bytes(conns[ready[i].data.fd]);
        }
    }
}
