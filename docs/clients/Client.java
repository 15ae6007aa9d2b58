import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.bouncycastle.crypto.digests.SM3Digest;
import org.bouncycastle.crypto.engines.SM4Engine;
import org.bouncycastle.crypto.macs.HMac;
import org.bouncycastle.crypto.modes.CBCBlockCipher;
import org.bouncycastle.crypto.paddings.PaddedBufferedBlockCipher;
import org.bouncycastle.crypto.params.KeyParameter;
import org.bouncycastle.crypto.params.ParametersWithID;
import org.bouncycastle.crypto.params.ParametersWithIV;
import org.bouncycastle.crypto.signers.PlainDSAEncoding;
import org.bouncycastle.crypto.signers.SM2Signer;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.util.encoders.Hex;

/**
 * 示例客户端 A sample client: JDK 11 以上与 BouncyCastle（bcprov）。
 * 用法 Usage: java -cp bcprov.jar Client.java POST /platform/v1/cases case.json，环境变量见 README.md environment as there.
 */
public final class Client {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final String GATEWAY = System.getenv("TB_GATEWAY").replaceAll("/$", "");
    private static final String APP = System.getenv("TB_APP");
    private static final String TO = System.getenv().getOrDefault("TB_TO", "tongban");
    private static final String[] TIF = {"x-tif-paasid", "x-tif-timestamp", "x-tif-nonce", "x-tif-signature", "x-tif-binding"};

    private static String method;
    private static String target;
    private static final Map<String, String> headers = new LinkedHashMap<>();

    public static void main(String[] arguments) throws Exception {
        method = arguments[0];
        target = arguments[1];
        String scheme = System.getenv("TB_SCHEME");
        long ms = System.currentTimeMillis();
        byte[] body = arguments.length > 2 ? Files.readAllBytes(Path.of(arguments[2])) : new byte[0];
        if (scheme.equals("yibao") && method.equals("POST")) {
            body = envelope(body, ms);
        }
        if (body.length > 0) {
            headers.put("content-type", "application/json");
        }
        byte[] random = new byte[16];
        RANDOM.nextBytes(random);
        prove(scheme, body, ms, Hex.toHexString(random));

        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(GATEWAY + target));
        request.method(method, HttpRequest.BodyPublishers.ofByteArray(body));
        headers.forEach(request::header);
        HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
        HttpResponse<String> answer = client.send(request.build(), HttpResponse.BodyHandlers.ofString());
        System.out.println(answer.statusCode());
        System.out.println(answer.body());
        System.exit(answer.statusCode() < 300 ? 0 : 1);
    }

    // --- 各约定 The schemes ------------------------------------------------------------------------------------------

    private static void prove(String scheme, byte[] body, long ms, String nonce) throws Exception {
        String time = Long.toString(ms);
        switch (scheme) {
            case "sm2": // 方案 profile qiaokou
                String signed = Hex.toHexString(sm2(lines("TONGBAN-SM2-V1", body, APP, time, nonce)));
                headers.putAll(Map.of("x-qk-appid", APP, "x-qk-timestamp", time, "x-qk-nonce", nonce, "x-qk-sign", signed));
                break;
            case "hmac": // 方案 profile wuhan
                String mac = Hex.toHexString(hmac(sorted(body, time, nonce))).toUpperCase(Locale.ROOT);
                headers.putAll(Map.of("x-wh-appkey", APP, "x-wh-timestamp", time, "x-wh-nonce", nonce, "x-wh-sign", mac));
                break;
            case "tif": // 方案 profile hubei
                tif("TONGBAN-TIF-V1", body, ms / 1000, nonce);
                break;
            case "yibao": // 方案 profile xiamen_yibao
                tif("TONGBAN-YIBAO-V1", body, ms / 1000, nonce);
                break;
            case "jwt": // 方案 profile yueyang
                headers.put("authorization", "Bearer " + token(body, ms / 1000, nonce));
                break;
            default:
                throw new IllegalArgumentException("TB_SCHEME: sm2 hmac tif jwt yibao");
        }
    }

    private static void tif(String label, byte[] body, long seconds, String nonce) throws Exception {
        String time = Long.toString(seconds);
        MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
        for (byte[] part : new byte[][] {utf8(time), secret("TB_SECRET_FILE"), utf8(nonce), utf8(time)}) {
            sha256.update(part);
        }
        String binding = Hex.toHexString(hmac(lines(label, body, APP, time, nonce)));
        String[] values = {APP, time, nonce, Hex.toHexString(sha256.digest()), binding};
        for (int i = 0; i < TIF.length; i++) {
            headers.put(TIF[i], values[i]);
        }
    }

    private static String token(byte[] body, long now, String nonce) throws Exception {
        String request = Hex.toHexString(sm3(lines("TONGBAN-JWT-V1", body)));
        String claims = String.format("{\"iss\":\"%s\",\"aud\":\"%s\",\"iat\":%d,\"exp\":%d,\"jti\":\"%s\",\"req\":\"%s\"}",
                APP, TO, now, now + 120, nonce, request);
        String said = b64u(utf8("{\"alg\":\"SM2\",\"typ\":\"JWT\"}")) + "." + b64u(utf8(claims));
        return said + "." + b64u(sm2(utf8(said)));
    }

    /** 参数按名排序拼接 Parameters sorted by name; the query's stand among them as they are on the wire. */
    private static byte[] sorted(byte[] body, String time, String nonce) {
        List<String> pairs = new ArrayList<>(List.of("appKey=" + APP, "nonce=" + nonce, "timestamp=" + time,
                "requestDigest=" + Hex.toHexString(sm3(lines("TONGBAN-HMAC-V1", body)))));
        int mark = target.indexOf('?');
        if (mark >= 0 && mark + 1 < target.length()) {
            for (String one : target.substring(mark + 1).split("&", -1)) {
                pairs.add(one.contains("=") ? one : one + "=");
            }
        }
        pairs.sort(Comparator.comparing(pair -> pair.substring(0, pair.indexOf('='))));
        return utf8(String.join("&", pairs));
    }

    /** SM4-CBC（IV 在前），再 SM2 签名 encrypted, then signed. */
    private static byte[] envelope(byte[] body, long ms) throws Exception {
        byte[] iv = new byte[16];
        RANDOM.nextBytes(iv);
        byte[] key = Hex.decode(new String(secret("TB_BODY_KEY_FILE"), StandardCharsets.US_ASCII));
        PaddedBufferedBlockCipher cipher = new PaddedBufferedBlockCipher(new CBCBlockCipher(new SM4Engine()));
        cipher.init(true, new ParametersWithIV(new KeyParameter(key), iv));
        byte[] out = new byte[cipher.getOutputSize(body.length)];
        int length = cipher.processBytes(body, 0, body.length, out, 0);
        length += cipher.doFinal(out, length);
        String sealed = Hex.toHexString(iv).toUpperCase(Locale.ROOT)
                + Hex.toHexString(Arrays.copyOf(out, length)).toUpperCase(Locale.ROOT);
        TreeMap<String, String> told = new TreeMap<>(Map.of("appCode", APP, "version", "2.0.1", "encType", "SM4",
                "signType", "SM2", "timestamp", Long.toString(ms), "data", sealed));
        List<String> pairs = new ArrayList<>();
        told.forEach((name, value) -> pairs.add(name + "=" + value));
        String signed = Base64.getEncoder().encodeToString(sm2(utf8(String.join("&", pairs))));
        return utf8(String.format("{\"data\":{\"encData\":\"%s\"},\"appCode\":\"%s\",\"version\":\"2.0.1\",\"encType\":\"SM4\","
                + "\"signType\":\"SM2\",\"timestamp\":\"%d\",\"signData\":\"%s\"}", sealed, APP, ms, signed));
    }

    // --- 共用 Shared -------------------------------------------------------------------------------------------------

    /** 请求各行 The request lines. */
    private static byte[] lines(String label, byte[] body, String... more) {
        int mark = target.indexOf('?');
        String path = mark < 0 ? target : target.substring(0, mark);
        List<String> all = new ArrayList<>(List.of(label, method, URI.create(GATEWAY).getAuthority().toLowerCase(Locale.ROOT), path,
                mark < 0 ? "" : target.substring(mark + 1)));
        for (String name : new String[] {"content-type", "content-range"}) {
            all.add(headers.containsKey(name) ? name + ":" + headers.get(name) : name);
        }
        all.add(Hex.toHexString(sm3(body)));
        all.addAll(Arrays.asList(more));
        return utf8(String.join("\n", all));
    }

    private static byte[] sm3(byte[] data) {
        SM3Digest digest = new SM3Digest();
        digest.update(data, 0, data.length);
        byte[] out = new byte[32];
        digest.doFinal(out, 0);
        return out;
    }

    private static byte[] hmac(byte[] message) throws Exception {
        HMac mac = new HMac(new SM3Digest());
        mac.init(new KeyParameter(secret("TB_SECRET_FILE")));
        mac.update(message, 0, message.length);
        byte[] out = new byte[32];
        mac.doFinal(out, 0);
        return out;
    }

    /** r‖s，默认签名者标识 with the default signer id. */
    private static byte[] sm2(byte[] message) throws Exception {
        String pem = Files.readString(Path.of(System.getenv("TB_KEY_FILE")));
        byte[] der = Base64.getMimeDecoder().decode(pem.replaceAll("-----[^-]+-----", ""));
        SM2Signer signer = new SM2Signer(PlainDSAEncoding.INSTANCE);
        signer.init(true, new ParametersWithID(PrivateKeyFactory.createKey(der), utf8("1234567812345678")));
        signer.update(message, 0, message.length);
        return signer.generateSignature();
    }

    private static byte[] secret(String variable) throws Exception {
        return utf8(Files.readString(Path.of(System.getenv(variable))).replaceAll("[\r\n]+$", ""));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String b64u(byte[] data) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(data);
    }
}
