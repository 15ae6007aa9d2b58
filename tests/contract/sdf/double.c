/* A software double (软件替身) of a GM/T 0018 machine for the tests: four SM2 keys, two KEKs, one PIN, and faults on demand.
 *
 * Built by the tests with `cc -shared -fPIC double.c libcrypto.so.3 -lpthread`. It declares what it needs of libcrypto
 * itself, so no development headers are wanted, and it computes SM2 from curve points and numbers, not by OpenSSL's own
 * SM2, so that it is a second opinion as well. It is no model for a real machine: its keys are numbers in this file.
 *
 * Environment, read at every call:
 *   SDF_DOUBLE_PIN    the PIN (Tb-3579)
 *   SDF_DOUBLE_GONE   the machine is disconnected: every call is SDR_COMMFAIL, and sessions from before never come back
 *   SDF_DOUBLE_DELAY  milliseconds that a signature takes
 *   SDF_DOUBLE_FAIL   "name:code:n": the function SDF_<name> answers with code (hex) from its n-th call on
 *   SDF_DOUBLE_BAD    signatures come out wrong by one bit
 *   SDF_DOUBLE_PLAIN  SDF_InternalDecrypt_ECC comes without the algorithm's number, as some vendors have it
 *   SDF_DOUBLE_RANDOM the generator is stuck
 *   SDF_DOUBLE_KEY_1  another private key for index 1, in hex (and so for 2 to 4)
 * Counters that a test reads: double_pins, double_signs, double_sessions, double_devices, double_clashes.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct bignum_st BIGNUM;
typedef struct bignum_ctx BN_CTX;
typedef struct ec_group_st EC_GROUP;
typedef struct ec_point_st EC_POINT;
typedef struct evp_md_st EVP_MD;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
extern BIGNUM *BN_new(void);
extern int BN_hex2bn(BIGNUM **, const char *);
extern void BN_free(BIGNUM *);
extern BIGNUM *BN_bin2bn(const unsigned char *, int, BIGNUM *);
extern int BN_bn2binpad(const BIGNUM *, unsigned char *, int);
extern int BN_mod_add(BIGNUM *, const BIGNUM *, const BIGNUM *, const BIGNUM *, BN_CTX *);
extern int BN_mod_sub(BIGNUM *, const BIGNUM *, const BIGNUM *, const BIGNUM *, BN_CTX *);
extern int BN_mod_mul(BIGNUM *, const BIGNUM *, const BIGNUM *, const BIGNUM *, BN_CTX *);
extern BIGNUM *BN_mod_inverse(BIGNUM *, const BIGNUM *, const BIGNUM *, BN_CTX *);
extern int BN_nnmod(BIGNUM *, const BIGNUM *, const BIGNUM *, BN_CTX *);
extern int BN_rand_range(BIGNUM *, const BIGNUM *);
extern int BN_set_word(BIGNUM *, unsigned long);
extern int BN_is_zero(const BIGNUM *);
extern int BN_cmp(const BIGNUM *, const BIGNUM *);
extern BN_CTX *BN_CTX_new(void);
extern void BN_CTX_free(BN_CTX *);
extern EC_GROUP *EC_GROUP_new_by_curve_name(int);
extern const BIGNUM *EC_GROUP_get0_order(const EC_GROUP *);
extern EC_POINT *EC_POINT_new(const EC_GROUP *);
extern void EC_POINT_free(EC_POINT *);
extern int EC_POINT_mul(const EC_GROUP *, EC_POINT *, const BIGNUM *, const EC_POINT *, const BIGNUM *, BN_CTX *);
extern int EC_POINT_set_affine_coordinates(const EC_GROUP *, EC_POINT *, const BIGNUM *, const BIGNUM *, BN_CTX *);
extern int EC_POINT_get_affine_coordinates(const EC_GROUP *, const EC_POINT *, BIGNUM *, BIGNUM *, BN_CTX *);
extern int EC_POINT_is_at_infinity(const EC_GROUP *, const EC_POINT *);
extern const EVP_MD *EVP_sm3(void);
extern int EVP_Digest(const void *, size_t, unsigned char *, unsigned int *, const EVP_MD *, void *);
extern unsigned char *HMAC(const EVP_MD *, const void *, int, const unsigned char *, size_t, unsigned char *, unsigned int *);
extern const EVP_CIPHER *EVP_sm4_cbc(void);
extern const EVP_CIPHER *EVP_sm4_ecb(void);
extern EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
extern void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *);
extern int EVP_CipherInit_ex(EVP_CIPHER_CTX *, const EVP_CIPHER *, void *, const unsigned char *, const unsigned char *, int);
extern int EVP_CIPHER_CTX_set_padding(EVP_CIPHER_CTX *, int);
extern int EVP_CipherUpdate(EVP_CIPHER_CTX *, unsigned char *, int *, const unsigned char *, int);
extern int RAND_bytes(unsigned char *, int);

enum { NID_SM2 = 1172, KEYS = 4, KEKS = 2, TRIES = 5, WIDTH = 64 };
enum {
    OK = 0, COMMFAIL = 0x01000003, OPENSESSION = 0x01000006, PARDENY = 0x01000007, KEYNOTEXIST = 0x01000008,
    PKOPERR = 0x0100000B, VERIFYERR = 0x0100000E, STEPERR = 0x01000010, ENCDATAERR = 0x01000016, PRKRERR = 0x01000018,
    NOBUFFER = 0x0100001C, INARGERR = 0x0100001D, PARLOCK = 0x01000021
};
typedef struct { unsigned char issuer[40], name[16], serial[16]; unsigned version, standard, asym[2], sym, hash, buffer; } Info;
typedef struct { unsigned bits; unsigned char x[WIDTH], y[WIDTH]; } Public;
typedef struct { unsigned char r[WIDTH], s[WIDTH]; } Signature;
typedef struct { unsigned char x[WIDTH], y[WIDTH], m[32]; unsigned size; unsigned char c[]; } Cipher;
typedef struct { int generation, busy, rights[KEYS + 1]; unsigned char mac_key[16]; unsigned char *data; unsigned size; } Session;

int double_pins, double_signs, double_sessions, double_devices, double_clashes;
static int generation, was_gone, wrong_pins;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int fault(const char *name)
{
    static struct { char name[40]; int count; } seen[32];
    const char *told = getenv("SDF_DOUBLE_FAIL");
    char wanted[40];
    unsigned code, from;
    int answer = OK, gone = getenv("SDF_DOUBLE_GONE") != NULL;
    pthread_mutex_lock(&lock);
    if (gone && !was_gone)
        generation++;
    was_gone = gone;
    if (gone)
        answer = COMMFAIL;
    else if (told && sscanf(told, "%39[^:]:%x:%u", wanted, &code, &from) == 3 && !strcmp(wanted, name)) {
        int i = 0;
        while (seen[i].name[0] && strcmp(seen[i].name, name))
            i++;
        strcpy(seen[i].name, name);
        if (++seen[i].count >= (int)from)
            answer = (int)code;
    }
    pthread_mutex_unlock(&lock);
    return answer;
}

/* A session that another thread is inside of is a clash; one from before a disconnection is dead. */
static int enter(Session *session, const char *name)
{
    int answer = fault(name);
    if (answer == OK && session->generation != generation)
        answer = COMMFAIL;
    if (answer == OK && __sync_lock_test_and_set(&session->busy, 1)) {
        double_clashes++;
        answer = INARGERR;
    }
    return answer;
}

static int leave(Session *session, int answer)
{
    __sync_lock_release(&session->busy);
    return answer;
}

#define ENTER(name) do { int refused = enter(session, name); if (refused) return refused; } while (0)

/* --- numbers -------------------------------------------------------------------------------------------------------- */

static EC_GROUP *curve;
__attribute__((constructor)) static void begin(void) { curve = EC_GROUP_new_by_curve_name(NID_SM2); }

static BIGNUM *get(const unsigned char *field) { return BN_bin2bn(field, WIDTH, NULL); }
static void put(unsigned char *field, const BIGNUM *value) { BN_bn2binpad(value, field, WIDTH); }

/* d of key i: every byte is 0x11 * i, unless the environment says otherwise. */
static BIGNUM *scalar(unsigned index)
{
    unsigned char bytes[32];
    char name[] = "SDF_DOUBLE_KEY_?";
    const char *given;
    BIGNUM *value = NULL;
    name[sizeof name - 2] = (char)('0' + index);
    given = getenv(name);
    if (given && BN_hex2bn(&value, given))
        return value;
    memset(bytes, (int)(0x11 * index), sizeof bytes);
    return BN_bin2bn(bytes, 32, NULL);
}

static void sm4(int encrypt, const EVP_CIPHER *mode, const unsigned char *key, const unsigned char *iv,
                const unsigned char *in, int size, unsigned char *out)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done;
    EVP_CipherInit_ex(context, mode, NULL, key, iv, encrypt);
    EVP_CIPHER_CTX_set_padding(context, 0);
    EVP_CipherUpdate(context, out, &done, in, size);
    EVP_CIPHER_CTX_free(context);
}

/* --- device and session --------------------------------------------------------------------------------------------- */

int SDF_OpenDevice(void **device)
{
    int refused = fault("OpenDevice");
    if (refused)
        return refused;
    *device = malloc(1);
    __sync_fetch_and_add(&double_devices, 1);
    return OK;
}

int SDF_CloseDevice(void *device)
{
    free(device);
    __sync_fetch_and_sub(&double_devices, 1);
    return fault("CloseDevice");
}

int SDF_OpenSession(void *device, void **handle)
{
    int refused = device ? fault("OpenSession") : OPENSESSION;
    Session *session;
    if (refused)
        return refused;
    session = calloc(1, sizeof *session);
    session->generation = generation;
    *handle = session;
    __sync_fetch_and_add(&double_sessions, 1);
    return OK;
}

int SDF_CloseSession(void *handle)
{
    Session *session = handle;
    free(session->data);
    free(session);
    __sync_fetch_and_sub(&double_sessions, 1);
    return fault("CloseSession");
}

int SDF_GetDeviceInfo(void *handle, Info *info)
{
    Session *session = handle;
    ENTER("GetDeviceInfo");
    memset(info, 0, sizeof *info);
    strcpy((char *)info->issuer, "Tongban software double");
    strcpy((char *)info->name, "not a machine");
    strcpy((char *)info->serial, "double-1");
    info->standard = 1;
    return leave(session, OK);
}

int SDF_GenerateRandom(void *handle, unsigned size, unsigned char *out)
{
    Session *session = handle;
    ENTER("GenerateRandom");
    if (getenv("SDF_DOUBLE_RANDOM"))
        memset(out, 7, size);
    else
        RAND_bytes(out, (int)size);
    return leave(session, OK);
}

int SDF_GetPrivateKeyAccessRight(void *handle, unsigned index, const unsigned char *pin, unsigned size)
{
    Session *session = handle;
    const char *right = getenv("SDF_DOUBLE_PIN");
    ENTER("GetPrivateKeyAccessRight");
    right = right ? right : "Tb-3579";
    __sync_fetch_and_add(&double_pins, 1);
    if (index < 1 || index > KEYS)
        return leave(session, KEYNOTEXIST);
    if (wrong_pins >= TRIES)
        return leave(session, PARLOCK);
    if (size != strlen(right) || memcmp(pin, right, size)) {
        wrong_pins++;
        return leave(session, PRKRERR);
    }
    wrong_pins = 0;
    session->rights[index] = 1;
    return leave(session, OK);
}

int SDF_ReleasePrivateKeyAccessRight(void *handle, unsigned index)
{
    Session *session = handle;
    ENTER("ReleasePrivateKeyAccessRight");
    if (index >= 1 && index <= KEYS)
        session->rights[index] = 0;
    return leave(session, OK);
}

/* --- SM2 ------------------------------------------------------------------------------------------------------------ */

static int export(Session *session, unsigned index, Public *out)
{
    EC_GROUP *group = curve;
    EC_POINT *point;
    BIGNUM *d, *x, *y;
    if (index < 1 || index > KEYS)
        return leave(session, KEYNOTEXIST);
    point = EC_POINT_new(group);
    d = scalar(index), x = BN_new(), y = BN_new();
    EC_POINT_mul(group, point, d, NULL, NULL, NULL);
    EC_POINT_get_affine_coordinates(group, point, x, y, NULL);
    out->bits = 256;
    put(out->x, x), put(out->y, y);
    BN_free(d), BN_free(x), BN_free(y), EC_POINT_free(point);
    return leave(session, OK);
}

int SDF_ExportSignPublicKey_ECC(void *handle, unsigned index, Public *out)
{
    Session *session = handle;
    ENTER("ExportSignPublicKey_ECC");
    return export(session, index, out);
}

int SDF_ExportEncPublicKey_ECC(void *handle, unsigned index, Public *out)
{
    Session *session = handle;
    ENTER("ExportEncPublicKey_ECC");
    return export(session, index, out);
}

/* GB/T 32918.2 6.1: r = e + x1, s = (1 + d)^-1 (k - r d). */
int SDF_InternalSign_ECC(void *handle, unsigned index, const unsigned char *e, unsigned size, Signature *out)
{
    Session *session = handle;
    const char *delay = getenv("SDF_DOUBLE_DELAY");
    ENTER("InternalSign_ECC");
    if (index < 1 || index > KEYS || !session->rights[index])
        return leave(session, PARDENY);
    if (size != 32)
        return leave(session, INARGERR);
    if (delay)
        usleep((useconds_t)atoi(delay) * 1000);
    EC_GROUP *group = curve;
    const BIGNUM *n = EC_GROUP_get0_order(group);
    EC_POINT *point = EC_POINT_new(group);
    BN_CTX *context = BN_CTX_new();
    BIGNUM *d = scalar(index), *k = BN_new(), *r = BN_new(), *s = BN_new(), *t = BN_new(), *hash = BN_bin2bn(e, 32, NULL);
    do {
        BN_rand_range(k, n);
        EC_POINT_mul(group, point, k, NULL, NULL, context);
        EC_POINT_get_affine_coordinates(group, point, r, t, context);
        BN_nnmod(r, r, n, context);
        BN_mod_add(r, r, hash, n, context);
        BN_set_word(t, 1);
        BN_mod_add(t, t, d, n, context);
        BN_mod_inverse(t, t, n, context);
        BN_mod_mul(s, r, d, n, context);
        BN_mod_sub(s, k, s, n, context);
        BN_mod_mul(s, s, t, n, context);
    } while (BN_is_zero(k) || BN_is_zero(r) || BN_is_zero(s));
    put(out->r, r), put(out->s, s);
    if (getenv("SDF_DOUBLE_BAD"))
        out->s[WIDTH - 1] ^= 1;
    __sync_fetch_and_add(&double_signs, 1);
    BN_free(d), BN_free(k), BN_free(r), BN_free(s), BN_free(t), BN_free(hash);
    BN_CTX_free(context), EC_POINT_free(point);
    return leave(session, OK);
}

/* GB/T 32918.2 7.1: t = r + s, (x1, y1) = sG + tP, e + x1 = r. */
int SDF_ExternalVerify_ECC(void *handle, unsigned algorithm, Public *key, const unsigned char *e, unsigned size, Signature *in)
{
    Session *session = handle;
    int good;
    ENTER("ExternalVerify_ECC");
    if (algorithm != 0x00020200 || key->bits != 256 || size != 32)
        return leave(session, INARGERR);
    EC_GROUP *group = curve;
    const BIGNUM *n = EC_GROUP_get0_order(group);
    EC_POINT *point = EC_POINT_new(group), *sum = EC_POINT_new(group);
    BN_CTX *context = BN_CTX_new();
    BIGNUM *x = get(key->x), *y = get(key->y), *r = get(in->r), *s = get(in->s), *t = BN_new(), *hash = BN_bin2bn(e, 32, NULL);
    good = EC_POINT_set_affine_coordinates(group, point, x, y, context) == 1;
    good = good && !BN_is_zero(r) && !BN_is_zero(s) && BN_cmp(r, n) < 0 && BN_cmp(s, n) < 0;
    if (good) {
        BN_mod_add(t, r, s, n, context);
        EC_POINT_mul(group, sum, s, point, t, context);
        good = !BN_is_zero(t) && !EC_POINT_is_at_infinity(group, sum);
    }
    if (good) {
        EC_POINT_get_affine_coordinates(group, sum, x, y, context);
        BN_nnmod(x, x, n, context);
        BN_mod_add(x, x, hash, n, context);
        good = BN_cmp(x, r) == 0;
    }
    BN_free(x), BN_free(y), BN_free(r), BN_free(s), BN_free(t), BN_free(hash);
    BN_CTX_free(context), EC_POINT_free(point), EC_POINT_free(sum);
    return leave(session, good ? OK : VERIFYERR);
}

/* GB/T 32918.4 7.1 over C1, C3 (m) and C2 (c). */
int SDF_InternalDecrypt_ECC(void *handle, unsigned index, void *one, void *two, void *three, void *four)
{
    int plain = getenv("SDF_DOUBLE_PLAIN") != NULL;
    unsigned algorithm = plain ? 0x00020800 : (unsigned)(size_t)one;
    Cipher *in = plain ? one : two;
    unsigned char *out = plain ? two : three;
    unsigned *room = plain ? three : four;
    Session *session = handle;
    unsigned char block[68], stream[32], check[32], *joined;
    unsigned i, size = in->size;
    int good;
    ENTER("InternalDecrypt_ECC");
    if (index < 1 || index > KEYS || !session->rights[index])
        return leave(session, PARDENY);
    if (algorithm != 0x00020800)
        return leave(session, INARGERR);
    if (*room < size)
        return leave(session, NOBUFFER);
    EC_GROUP *group = curve;
    EC_POINT *point = EC_POINT_new(group);
    BIGNUM *d = scalar(index), *x = get(in->x), *y = get(in->y);
    good = EC_POINT_set_affine_coordinates(group, point, x, y, NULL) == 1;
    if (good) {
        EC_POINT_mul(group, point, NULL, point, d, NULL);
        EC_POINT_get_affine_coordinates(group, point, x, y, NULL);
        BN_bn2binpad(x, block, 32), BN_bn2binpad(y, block + 32, 32);
        for (i = 0; i < size; i++) {
            if (i % 32 == 0) {
                unsigned n = i / 32 + 1;
                block[64] = (unsigned char)(n >> 24), block[65] = (unsigned char)(n >> 16);
                block[66] = (unsigned char)(n >> 8), block[67] = (unsigned char)n;
                EVP_Digest(block, 68, stream, NULL, EVP_sm3(), NULL);
            }
            out[i] = in->c[i] ^ stream[i % 32];
        }
        joined = malloc(64 + size);
        memcpy(joined, block, 32), memcpy(joined + 32, out, size), memcpy(joined + 32 + size, block + 32, 32);
        EVP_Digest(joined, 64 + size, check, NULL, EVP_sm3(), NULL);
        free(joined);
        good = memcmp(check, in->m, 32) == 0;
    }
    BN_free(d), BN_free(x), BN_free(y), EC_POINT_free(point);
    *room = size;
    return leave(session, good ? OK : ENCDATAERR);
}

/* --- SM4 under a KEK, and HMAC-SM3 ---------------------------------------------------------------------------------- */

static void kek_of(unsigned index, unsigned char *kek) { memset(kek, (int)(0x40 + index), 16); }

int SDF_GenerateKeyWithKEK(void *handle, unsigned bits, unsigned algorithm, unsigned index, unsigned char *out, unsigned *size,
                           void **key)
{
    Session *session = handle;
    unsigned char kek[16];
    ENTER("GenerateKeyWithKEK");
    if (index < 1 || index > KEKS)
        return leave(session, KEYNOTEXIST);
    if (bits != 128 || algorithm != 0x401 || *size < 16)
        return leave(session, INARGERR);
    *key = malloc(16);
    RAND_bytes(*key, 16);
    kek_of(index, kek);
    sm4(1, EVP_sm4_ecb(), kek, NULL, *key, 16, out);
    *size = 16;
    return leave(session, OK);
}

int SDF_ImportKeyWithKEK(void *handle, unsigned algorithm, unsigned index, const unsigned char *in, unsigned size, void **key)
{
    Session *session = handle;
    unsigned char kek[16];
    ENTER("ImportKeyWithKEK");
    if (index < 1 || index > KEKS)
        return leave(session, KEYNOTEXIST);
    if (algorithm != 0x401 || size != 16)
        return leave(session, INARGERR);
    *key = malloc(16);
    kek_of(index, kek);
    sm4(0, EVP_sm4_ecb(), kek, NULL, in, 16, *key);
    return leave(session, OK);
}

int SDF_DestroyKey(void *handle, void *key)
{
    (void)handle;
    free(key);
    return OK;
}

static int cipher(Session *session, int encrypt, void *key, unsigned algorithm, unsigned char *iv, const unsigned char *in,
                  unsigned size, unsigned char *out, unsigned *room)
{
    if (algorithm != 0x402 || size % 16 || *room < size)
        return leave(session, INARGERR);
    sm4(encrypt, EVP_sm4_cbc(), key, iv, in, (int)size, out);
    *room = size;
    return leave(session, OK);
}

int SDF_Encrypt(void *handle, void *key, unsigned algorithm, unsigned char *iv, const unsigned char *in, unsigned size,
                unsigned char *out, unsigned *room)
{
    Session *session = handle;
    ENTER("Encrypt");
    return cipher(session, 1, key, algorithm, iv, in, size, out, room);
}

int SDF_Decrypt(void *handle, void *key, unsigned algorithm, unsigned char *iv, const unsigned char *in, unsigned size,
                unsigned char *out, unsigned *room)
{
    Session *session = handle;
    ENTER("Decrypt");
    return cipher(session, 0, key, algorithm, iv, in, size, out, room);
}

int SDF_HMACInit(void *handle, void *key, unsigned algorithm)
{
    Session *session = handle;
    ENTER("HMACInit");
    if (algorithm != 8)
        return leave(session, INARGERR);
    memcpy(session->mac_key, key, 16);
    free(session->data);
    session->data = NULL, session->size = 0;
    return leave(session, OK);
}

int SDF_HMACUpdate(void *handle, const unsigned char *in, unsigned size)
{
    Session *session = handle;
    ENTER("HMACUpdate");
    session->data = realloc(session->data, session->size + size + 1);
    memcpy(session->data + session->size, in, size);
    session->size += size;
    return leave(session, OK);
}

int SDF_HMACFinal(void *handle, unsigned char *out, unsigned *room)
{
    Session *session = handle;
    ENTER("HMACFinal");
    if (!session->data)
        return leave(session, STEPERR);
    if (*room < 32)
        return leave(session, NOBUFFER);
    HMAC(EVP_sm3(), session->mac_key, 16, session->data, session->size, out, room);
    return leave(session, OK);
}
