import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Security;
import java.security.spec.ECGenParameterSpec;
import java.util.Date;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.gm.GMObjectIdentifiers;
import org.bouncycastle.asn1.ocsp.OCSPObjectIdentifiers;
import org.bouncycastle.asn1.oiw.OIWObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.Extensions;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.cert.ocsp.BasicOCSPResp;
import org.bouncycastle.cert.ocsp.BasicOCSPRespBuilder;
import org.bouncycastle.cert.ocsp.CertificateID;
import org.bouncycastle.cert.ocsp.CertificateStatus;
import org.bouncycastle.cert.ocsp.OCSPReq;
import org.bouncycastle.cert.ocsp.OCSPReqBuilder;
import org.bouncycastle.cert.ocsp.OCSPResp;
import org.bouncycastle.cert.ocsp.OCSPRespBuilder;
import org.bouncycastle.cert.ocsp.RespID;
import org.bouncycastle.cert.ocsp.RevokedStatus;
import org.bouncycastle.cert.ocsp.SingleResp;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.DigestCalculator;
import org.bouncycastle.operator.DigestCalculatorProvider;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;
import org.bouncycastle.util.encoders.Hex;

/** Online certificate status by BouncyCastle: one request per line, fields in hex, one answer per line. */
public final class OcspTool {
    private static DigestCalculatorProvider digests;

    public static void main(String[] arguments) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        digests = new JcaDigestCalculatorProviderBuilder().setProvider("BC").build();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] f = line.split(" ");
            String answer;
            try {
                answer = f[0].equals("check") ? check(f) : f[0].equals("request") ? request(f) : issue(f);
            } catch (Exception error) {
                answer = "error " + error;
            }
            System.out.println(answer.replace('\n', ' '));
        }
    }

    /** Response, issuer, leaf: the signature by the sent certificate or the issuer, whether the leaf is named, the status. */
    private static String check(String[] f) throws Exception {
        OCSPResp response = new OCSPResp(Hex.decode(f[1]));
        if (response.getStatus() != OCSPResp.SUCCESSFUL) {
            return "status " + response.getStatus();
        }
        BasicOCSPResp basic = (BasicOCSPResp) response.getResponseObject();
        X509CertificateHolder issuer = new X509CertificateHolder(Hex.decode(f[2]));
        X509CertificateHolder leaf = new X509CertificateHolder(Hex.decode(f[3]));
        X509CertificateHolder signer = basic.getCerts().length > 0 ? basic.getCerts()[0] : issuer;
        boolean signed = basic.isSignatureValid(new JcaContentVerifierProviderBuilder().setProvider("BC").build(signer));
        SingleResp single = basic.getResponses()[0];
        boolean named = single.getCertID().matchesIssuer(issuer, digests)
            && single.getCertID().getSerialNumber().equals(leaf.getSerialNumber());
        CertificateStatus status = single.getCertStatus();
        return signed + " " + named + " " + (status == CertificateStatus.GOOD ? "good" : status.getClass().getSimpleName());
    }

    /** Request, issuer, leaf: whether the leaf is named, and the nonce. */
    private static String request(String[] f) throws Exception {
        OCSPReq request = new OCSPReq(Hex.decode(f[1]));
        CertificateID id = request.getRequestList()[0].getCertID();
        boolean named = id.matchesIssuer(new X509CertificateHolder(Hex.decode(f[2])), digests)
            && id.getSerialNumber().equals(new X509CertificateHolder(Hex.decode(f[3])).getSerialNumber());
        Extension nonce = request.getExtension(OCSPObjectIdentifiers.id_pkix_ocsp_nonce);
        return named + " " + Hex.toHexString(nonce.getExtnValue().getOctets());
    }

    /** Time, digest, "good" or "revoked": root, leaf, request with a nonce and the root's response. */
    private static String issue(String[] f) throws Exception {
        long at = Long.parseLong(f[1]);
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
        generator.initialize(new ECGenParameterSpec("sm2p256v1"));
        KeyPair pair = generator.generateKeyPair();
        ContentSigner signer = new JcaContentSignerBuilder("SM3WITHSM2").setProvider("BC").build(pair.getPrivate());
        X500Name name = new X500Name("CN=BC 根,C=CN");
        X509CertificateHolder root = certificate(name, name, pair, 1, at, true, signer);
        X509CertificateHolder leaf = certificate(name, new X500Name("CN=BC 叶,C=CN"), generator.generateKeyPair(), 2, at, false, signer);
        DigestCalculator digest = digests.get(new AlgorithmIdentifier(
            f[2].equals("sm3") ? GMObjectIdentifiers.sm3 : OIWObjectIdentifiers.idSHA1));
        CertificateID id = new CertificateID(digest, root, leaf.getSerialNumber());
        Extension nonce = new Extension(
            OCSPObjectIdentifiers.id_pkix_ocsp_nonce, false, new DEROctetString(new byte[16]).getEncoded());
        OCSPReqBuilder asking = new OCSPReqBuilder();
        asking.addRequest(id);
        asking.setRequestExtensions(new Extensions(nonce));
        BasicOCSPRespBuilder response = new BasicOCSPRespBuilder(new RespID(name));
        CertificateStatus status = f[3].equals("good")
            ? CertificateStatus.GOOD : new RevokedStatus(new Date(at - 3_600_000L), CRLReason.keyCompromise);
        response.addResponse(id, status, new Date(at), new Date(at + 3_600_000L));
        response.setResponseExtensions(new Extensions(nonce));
        OCSPResp whole = new OCSPRespBuilder().build(OCSPRespBuilder.SUCCESSFUL, response.build(signer, null, new Date(at)));
        return String.join(" ", Hex.toHexString(root.getEncoded()), Hex.toHexString(leaf.getEncoded()),
            Hex.toHexString(asking.build().getEncoded()), Hex.toHexString(whole.getEncoded()));
    }

    private static X509CertificateHolder certificate(
            X500Name issuer, X500Name subject, KeyPair holder, long serial, long at, boolean ca, ContentSigner by) throws Exception {
        JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
            issuer, BigInteger.valueOf(serial), new Date(at - 86_400_000L), new Date(at + 86_400_000L), subject,
            holder.getPublic());
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(ca));
        return builder.build(by);
    }
}
