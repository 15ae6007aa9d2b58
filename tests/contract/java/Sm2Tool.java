import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.X509EncodedKeySpec;
import org.bouncycastle.asn1.gm.GMNamedCurves;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.crypto.AsymmetricCipherKeyPair;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.generators.ECKeyPairGenerator;
import org.bouncycastle.crypto.params.ECKeyGenerationParameters;
import org.bouncycastle.crypto.params.ECKeyParameters;
import org.bouncycastle.crypto.params.ECNamedDomainParameters;
import org.bouncycastle.crypto.params.ECPrivateKeyParameters;
import org.bouncycastle.crypto.params.ECPublicKeyParameters;
import org.bouncycastle.crypto.params.ParametersWithID;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.signers.DSAEncoding;
import org.bouncycastle.crypto.signers.PlainDSAEncoding;
import org.bouncycastle.crypto.signers.SM2Signer;
import org.bouncycastle.crypto.signers.StandardDSAEncoding;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.crypto.util.PrivateKeyInfoFactory;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.crypto.util.SubjectPublicKeyInfoFactory;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.math.ec.FixedPointCombMultiplier;
import org.bouncycastle.util.encoders.Hex;

/** A foreign client of the tests: one request per line, fields in hex ("-" is empty), one answer per line. */
public final class Sm2Tool {
    private static final SecureRandom RANDOM = new SecureRandom();

    public static void main(String[] arguments) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer;
            try {
                answer = answer(line.split(" "));
            } catch (Exception error) {
                answer = "error " + error;
            }
            System.out.println(answer.replace('\n', ' '));
            System.out.flush();
        }
    }

    private static String answer(String[] f) throws Exception {
        switch (f[0]) {
            case "keygen":
                return keygen();
            case "sign":
                return Hex.toHexString(sign(encoding(f[1]), hex(f[2]), hex(f[3]), hex(f[4])));
            case "verify":
                return String.valueOf(verify(encoding(f[1]), hex(f[2]), hex(f[3]), hex(f[4]), hex(f[5])));
            case "jca-sign":
                return Hex.toHexString(jcaSign(hex(f[1]), hex(f[2])));
            case "jca-verify":
                return String.valueOf(jcaVerify(hex(f[1]), hex(f[2]), hex(f[3])));
            case "encrypt":
                return Hex.toHexString(encrypt(hex(f[1]), hex(f[2])));
            case "decrypt":
                return Hex.toHexString(decrypt(hex(f[1]), hex(f[2]), f.length > 3 && f[3].equals("0")));
            case "public-key":
                return point(hex(f[1]));
            case "private-key":
                return owner(hex(f[1]));
            case "version":
                return new BouncyCastleProvider().getVersionStr();
            default:
                return "error unknown";
        }
    }

    private static byte[] hex(String field) {
        return field.equals("-") ? new byte[0] : Hex.decode(field);
    }

    private static DSAEncoding encoding(String name) {
        return name.equals("raw") ? PlainDSAEncoding.INSTANCE : StandardDSAEncoding.INSTANCE;
    }

    private static String keygen() throws Exception {
        ECKeyPairGenerator generator = new ECKeyPairGenerator();
        ECNamedDomainParameters domain =
                new ECNamedDomainParameters(GMObjectIdentifiers.sm2p256v1, GMNamedCurves.getByName("sm2p256v1"));
        generator.init(new ECKeyGenerationParameters(domain, RANDOM));
        AsymmetricCipherKeyPair pair = generator.generateKeyPair();
        return Hex.toHexString(PrivateKeyInfoFactory.createPrivateKeyInfo(pair.getPrivate()).getEncoded())
                + " "
                + Hex.toHexString(SubjectPublicKeyInfoFactory.createSubjectPublicKeyInfo(pair.getPublic()).getEncoded());
    }

    private static byte[] sign(DSAEncoding encoding, byte[] pkcs8, byte[] id, byte[] message) throws Exception {
        SM2Signer signer = new SM2Signer(encoding);
        signer.init(true, new ParametersWithID(new ParametersWithRandom(PrivateKeyFactory.createKey(pkcs8), RANDOM), id));
        signer.update(message, 0, message.length);
        return signer.generateSignature();
    }

    private static boolean verify(DSAEncoding encoding, byte[] spki, byte[] id, byte[] message, byte[] signature)
            throws Exception {
        SM2Signer signer = new SM2Signer(encoding);
        signer.init(false, new ParametersWithID(PublicKeyFactory.createKey(spki), id));
        signer.update(message, 0, message.length);
        return signer.verifySignature(signature);
    }

    private static byte[] jcaSign(byte[] pkcs8, byte[] message) throws Exception {
        PrivateKey key = KeyFactory.getInstance("EC", provider()).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        Signature signature = Signature.getInstance("SM3withSM2", provider());
        signature.initSign(key);
        signature.update(message);
        return signature.sign();
    }

    private static boolean jcaVerify(byte[] spki, byte[] message, byte[] value) throws Exception {
        PublicKey key = KeyFactory.getInstance("EC", provider()).generatePublic(new X509EncodedKeySpec(spki));
        Signature signature = Signature.getInstance("SM3withSM2", provider());
        signature.initVerify(key);
        signature.update(message);
        return signature.verify(value);
    }

    private static byte[] encrypt(byte[] spki, byte[] plaintext) throws Exception {
        SM2Engine engine = new SM2Engine(SM2Engine.Mode.C1C3C2);
        engine.init(true, new ParametersWithRandom(PublicKeyFactory.createKey(spki), RANDOM));
        return engine.processBlock(plaintext, 0, plaintext.length);
    }

    private static String point(byte[] spki) throws Exception {
        ECPublicKeyParameters key = (ECPublicKeyParameters) PublicKeyFactory.createKey(spki);
        return named(key) ? Hex.toHexString(key.getQ().getEncoded(false)) : "false";
    }

    /** BouncyCastle reads keys of any curve; which one it is, the caller has to look at. */
    private static boolean named(ECKeyParameters key) {
        return key.getParameters() instanceof ECNamedDomainParameters
                && ((ECNamedDomainParameters) key.getParameters()).getName().equals(GMObjectIdentifiers.sm2p256v1);
    }

    private static String owner(byte[] pkcs8) throws Exception {
        ECPrivateKeyParameters key = (ECPrivateKeyParameters) PrivateKeyFactory.createKey(pkcs8);
        if (!named(key)) {
            return "false";
        }
        ECPoint point = new FixedPointCombMultiplier().multiply(key.getParameters().getG(), key.getD());
        return Hex.toHexString(point.getEncoded(false));
    }

    private static byte[] decrypt(byte[] pkcs8, byte[] ciphertext, boolean old) throws Exception {
        SM2Engine engine = new SM2Engine(old ? SM2Engine.Mode.C1C2C3 : SM2Engine.Mode.C1C3C2);
        engine.init(false, PrivateKeyFactory.createKey(pkcs8));
        return engine.processBlock(ciphertext, 0, ciphertext.length);
    }

    private static BouncyCastleProvider provider() {
        return PROVIDER;
    }

    private static final BouncyCastleProvider PROVIDER = new BouncyCastleProvider();
}
