import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.Security;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.Date;
import java.util.Iterator;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1OctetString;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1Set;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.asn1.cms.EncryptedContentInfo;
import org.bouncycastle.asn1.cms.EnvelopedData;
import org.bouncycastle.asn1.cms.IssuerAndSerialNumber;
import org.bouncycastle.asn1.cms.KeyTransRecipientInfo;
import org.bouncycastle.asn1.cms.RecipientIdentifier;
import org.bouncycastle.asn1.cms.RecipientInfo;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.SignerInfoGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.crypto.engines.SM2Engine;
import org.bouncycastle.crypto.params.AsymmetricKeyParameter;
import org.bouncycastle.crypto.params.ParametersWithRandom;
import org.bouncycastle.crypto.util.PrivateKeyFactory;
import org.bouncycastle.crypto.util.PublicKeyFactory;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.tsp.TimeStampRequest;
import org.bouncycastle.tsp.TimeStampRequestGenerator;
import org.bouncycastle.tsp.TimeStampResponse;
import org.bouncycastle.tsp.TimeStampResponseGenerator;
import org.bouncycastle.tsp.TimeStampToken;
import org.bouncycastle.tsp.TimeStampTokenGenerator;
import org.bouncycastle.util.BigIntegers;
import org.bouncycastle.util.encoders.Hex;

/** Messages and time stamps by BouncyCastle: one request per line, fields in hex, one answer per line. */
public final class CmsTool {
    private static final ASN1ObjectIdentifier SM4_CBC = new ASN1ObjectIdentifier("1.2.156.10197.1.104.2");
    private static final ASN1ObjectIdentifier SM2_ENCRYPT = new ASN1ObjectIdentifier("1.2.156.10197.1.301.3");

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String answer;
            try {
                answer = answer(line.split(" "));
            } catch (Exception error) {
                answer = "error " + error;
            }
            System.out.println(answer.replace('\n', ' '));
        }
    }

    private static String answer(String[] f) throws Exception {
        byte[] first = Hex.decode(f[1]);
        switch (f[0]) {
            case "sign":
                return sign(first, key(f[2]), certificate(f[3]), f[4].contains("detached"), f[4].contains("bare"));
            case "verify":
                return verify(first, f.length > 2 ? Hex.decode(f[2]) : null);
            case "envelope":
                return envelope(first, certificate(f[2]));
            case "open":
                return open(first, key(f[2]));
            case "stamp":
                return stamp(first, key(f[2]), certificate(f[3]), Long.parseLong(f[4]));
            case "ask":
                TimeStampRequestGenerator generator = new TimeStampRequestGenerator();
                generator.setCertReq(true);
                return Hex.toHexString(
                    generator.generate(GMObjectIdentifiers.sm3, first, new BigInteger(f[2])).getEncoded());
            case "stamped":
                return stamped(first, Hex.decode(f[2]), certificate(f[3]));
            default:
                throw new IllegalArgumentException(f[0]);
        }
    }

    private static PrivateKey key(String pkcs8) throws Exception {
        return KeyFactory.getInstance("EC", "BC").generatePrivate(new PKCS8EncodedKeySpec(Hex.decode(pkcs8)));
    }

    private static X509CertificateHolder certificate(String der) throws Exception {
        return new X509CertificateHolder(Hex.decode(der));
    }

    private static SignerInfoGenerator signer(PrivateKey key, X509CertificateHolder holder, boolean bare) throws Exception {
        DigestCalculatorProvider digests = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
        JcaSignerInfoGeneratorBuilder builder = new JcaSignerInfoGeneratorBuilder(digests);
        builder.setDirectSignature(bare);
        return builder.build(new JcaContentSignerBuilder("SM3withSM2").setProvider("BC").build(key), holder);
    }

    /** BouncyCastle writes BER: indefinite lengths, content in pieces. */
    private static String sign(
            byte[] content, PrivateKey key, X509CertificateHolder holder, boolean detached, boolean bare) throws Exception {
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        generator.addSignerInfoGenerator(signer(key, holder, bare));
        generator.addCertificates(new JcaCertStore(Collections.singletonList(
            new JcaX509CertificateConverter().setProvider("BC").getCertificate(holder))));
        return Hex.toHexString(generator.generate(new CMSProcessableByteArray(content), !detached).getEncoded());
    }

    private static String verify(byte[] message, byte[] content) throws Exception {
        CMSSignedData signed = content == null
            ? new CMSSignedData(message) : new CMSSignedData(new CMSProcessableByteArray(content), message);
        Collection<SignerInformation> signers = signed.getSignerInfos().getSigners();
        boolean good = !signers.isEmpty();
        for (SignerInformation one : signers) {
            @SuppressWarnings("unchecked")
            Iterator<X509CertificateHolder> found = signed.getCertificates().getMatches(one.getSID()).iterator();
            good &= one.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(found.next()));
        }
        return good + " " + signers.size();
    }

    /** EnvelopedData put together from BouncyCastle's ASN.1 classes, its SM4 and its SM2 engine. */
    private static String envelope(byte[] content, X509CertificateHolder holder) throws Exception {
        SecureRandom random = new SecureRandom();
        byte[] key = new byte[16];
        byte[] iv = new byte[16];
        random.nextBytes(key);
        random.nextBytes(iv);
        Cipher cipher = Cipher.getInstance("SM4/CBC/PKCS5Padding", "BC");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "SM4"), new IvParameterSpec(iv));
        SM2Engine engine = new SM2Engine(SM2Engine.Mode.C1C3C2);
        AsymmetricKeyParameter to = PublicKeyFactory.createKey(holder.getSubjectPublicKeyInfo());
        engine.init(true, new ParametersWithRandom(to, random));
        byte[] wrapped = engine.processBlock(key, 0, key.length);
        ASN1EncodableVector parts = new ASN1EncodableVector();
        parts.add(new ASN1Integer(new BigInteger(1, wrapped, 1, 32)));
        parts.add(new ASN1Integer(new BigInteger(1, wrapped, 33, 32)));
        parts.add(new DEROctetString(Arrays.copyOfRange(wrapped, 65, 97)));
        parts.add(new DEROctetString(Arrays.copyOfRange(wrapped, 97, wrapped.length)));
        KeyTransRecipientInfo recipient = new KeyTransRecipientInfo(
            new RecipientIdentifier(new IssuerAndSerialNumber(holder.toASN1Structure())),
            new AlgorithmIdentifier(SM2_ENCRYPT), new DEROctetString(new DERSequence(parts)));
        EncryptedContentInfo encrypted = new EncryptedContentInfo(
            PKCSObjectIdentifiers.data, new AlgorithmIdentifier(SM4_CBC, new DEROctetString(iv)),
            new DEROctetString(cipher.doFinal(content)));
        EnvelopedData enveloped = new EnvelopedData(
            null, new DERSet(new RecipientInfo(recipient)), encrypted, (ASN1Set) null);
        return Hex.toHexString(new ContentInfo(PKCSObjectIdentifiers.envelopedData, enveloped).getEncoded("BER"));
    }

    private static String open(byte[] message, PrivateKey key) throws Exception {
        EnvelopedData enveloped = EnvelopedData.getInstance(ContentInfo.getInstance(message).getContent());
        KeyTransRecipientInfo recipient = KeyTransRecipientInfo.getInstance(
            RecipientInfo.getInstance(enveloped.getRecipientInfos().getObjectAt(0)).getInfo());
        ASN1Sequence wrapped = ASN1Sequence.getInstance(recipient.getEncryptedKey().getOctets());
        byte[] flat = new byte[97 + 16];
        flat[0] = 4;
        System.arraycopy(fixed(wrapped.getObjectAt(0)), 0, flat, 1, 32);
        System.arraycopy(fixed(wrapped.getObjectAt(1)), 0, flat, 33, 32);
        System.arraycopy(ASN1OctetString.getInstance(wrapped.getObjectAt(2)).getOctets(), 0, flat, 65, 32);
        System.arraycopy(ASN1OctetString.getInstance(wrapped.getObjectAt(3)).getOctets(), 0, flat, 97, 16);
        SM2Engine engine = new SM2Engine(SM2Engine.Mode.C1C3C2);
        engine.init(false, PrivateKeyFactory.createKey(key.getEncoded()));
        byte[] content = engine.processBlock(flat, 0, flat.length);
        EncryptedContentInfo encrypted = enveloped.getEncryptedContentInfo();
        byte[] iv = ASN1OctetString.getInstance(encrypted.getContentEncryptionAlgorithm().getParameters()).getOctets();
        Cipher cipher = Cipher.getInstance("SM4/CBC/PKCS5Padding", "BC");
        cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(content, "SM4"), new IvParameterSpec(iv));
        return Hex.toHexString(cipher.doFinal(encrypted.getEncryptedContent().getOctets()));
    }

    private static byte[] fixed(ASN1Encodable number) {
        return BigIntegers.asUnsignedByteArray(32, ASN1Integer.getInstance(number).getValue());
    }

    private static String stamp(byte[] request, PrivateKey key, X509CertificateHolder holder, long at) throws Exception {
        DigestCalculatorProvider digests = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
        TimeStampTokenGenerator generator = new TimeStampTokenGenerator(
            signer(key, holder, false), digests.get(new AlgorithmIdentifier(GMObjectIdentifiers.sm3)),
            new ASN1ObjectIdentifier("1.2.3.4"));
        generator.setAccuracySeconds(2);
        generator.addCertificates(new JcaCertStore(Collections.singletonList(
            new JcaX509CertificateConverter().setProvider("BC").getCertificate(holder))));
        TimeStampResponseGenerator responses = new TimeStampResponseGenerator(
            generator, Collections.singleton(GMObjectIdentifiers.sm3.getId()));
        TimeStampResponse response = responses.generate(new TimeStampRequest(request), BigInteger.valueOf(at), new Date(at));
        return Hex.toHexString(response.getEncoded());
    }

    /** Our response to a request of BouncyCastle's: it must fit the request and verify with the authority's certificate. */
    private static String stamped(byte[] request, byte[] answer, X509CertificateHolder holder) throws Exception {
        TimeStampResponse response = new TimeStampResponse(answer);
        response.validate(new TimeStampRequest(request));
        TimeStampToken token = response.getTimeStampToken();
        if (token == null) {
            return "refused " + response.getStatus() + " " + response.getFailInfo().intValue();
        }
        token.validate(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder));
        return "ok " + token.getTimeStampInfo().getGenTime().getTime();
    }
}
