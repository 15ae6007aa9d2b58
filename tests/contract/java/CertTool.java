import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Security;
import java.security.cert.CertPath;
import java.security.cert.CertPathBuilder;
import java.security.cert.CertPathValidator;
import java.security.cert.CertStore;
import java.security.cert.CertificateFactory;
import java.security.cert.CollectionCertStoreParameters;
import java.security.cert.PKIXBuilderParameters;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509CRL;
import java.security.cert.X509CertSelector;
import java.security.cert.X509Certificate;
import java.security.spec.ECGenParameterSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.CRLReason;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cert.X509v2CRLBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.bouncycastle.operator.ContentSigner;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequestBuilder;
import org.bouncycastle.util.encoders.Hex;

/** Certificates by BouncyCastle: one request per line, fields in hex, one answer per line. */
public final class CertTool {
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
        switch (f[0]) {
            case "chain":
                return chain(Long.parseLong(f[1]), null, f, 2);
            case "chain-crl":
                return chain(Long.parseLong(f[1]), f[2], f, 3);
            case "build":
                return within(5, () -> build(f));
            case "csr":
                PKCS10CertificationRequest request = new PKCS10CertificationRequest(Hex.decode(f[1]));
                return String.valueOf(request.isSignatureValid(
                    new JcaContentVerifierProviderBuilder().setProvider("BC").build(request.getSubjectPublicKeyInfo())));
            case "issue":
                return issue(Long.parseLong(f[1]));
            default:
                throw new IllegalArgumentException(f[0]);
        }
    }

    /** PKIX validation of leaf, issuers and at last the anchor, as of a time in milliseconds. */
    private static String chain(long at, String crl, String[] f, int first) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509", "BC");
        List<X509Certificate> path = new ArrayList<>();
        for (int i = first; i < f.length; i++) {
            path.add((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(Hex.decode(f[i]))));
        }
        TrustAnchor anchor = new TrustAnchor(path.remove(path.size() - 1), null);
        CertPath certPath = factory.generateCertPath(path);
        PKIXParameters parameters = new PKIXParameters(Collections.singleton(anchor));
        parameters.setDate(new Date(at));
        parameters.setRevocationEnabled(crl != null);
        if (crl != null) {
            X509CRL list = (X509CRL) factory.generateCRL(new ByteArrayInputStream(Hex.decode(crl)));
            parameters.addCertStore(CertStore.getInstance(
                "Collection", new CollectionCertStoreParameters(Collections.singletonList(list)), "BC"));
        }
        CertPathValidator.getInstance("PKIX", "BC").validate(certPath, parameters);
        return "ok";
    }

    /** The answer, or a word that there was none after some seconds; the work is left to run to nowhere. */
    private static String within(int seconds, Callable<String> work) throws Exception {
        FutureTask<String> task = new FutureTask<>(work);
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        try {
            return task.get(seconds, TimeUnit.SECONDS);
        } catch (TimeoutException late) {
            return "error no answer in " + seconds + " seconds";
        } catch (ExecutionException failed) {
            throw (Exception) failed.getCause();
        }
    }

    /** PKIX path building: time, "crl" or "-", then a=anchor, c=certificate, l=list before each DER; the leaf comes last. */
    private static String build(String[] f) throws Exception {
        CertificateFactory factory = CertificateFactory.getInstance("X.509", "BC");
        Set<TrustAnchor> anchors = new HashSet<>();
        List<Object> pool = new ArrayList<>();
        X509Certificate leaf = null;
        for (int i = 3; i < f.length; i++) {
            ByteArrayInputStream der = new ByteArrayInputStream(Hex.decode(f[i].substring(2)));
            if (f[i].charAt(0) == 'l') {
                pool.add(factory.generateCRL(der));
                continue;
            }
            leaf = (X509Certificate) factory.generateCertificate(der);
            if (f[i].charAt(0) == 'a') {
                anchors.add(new TrustAnchor(leaf, null));
            } else {
                pool.add(leaf);
            }
        }
        X509CertSelector wanted = new X509CertSelector();
        wanted.setCertificate(leaf);
        PKIXBuilderParameters parameters = new PKIXBuilderParameters(anchors, wanted);
        parameters.setDate(new Date(Long.parseLong(f[1])));
        parameters.setMaxPathLength(-1);
        parameters.setRevocationEnabled(f[2].equals("crl"));
        parameters.addCertStore(CertStore.getInstance("Collection", new CollectionCertStoreParameters(pool), "BC"));
        CertPathBuilder.getInstance("PKIX", "BC").build(parameters);
        return "ok";
    }

    /** Root, intermediate, leaf, a list that revokes the leaf, and a request, all valid around a time. */
    private static String issue(long at) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC", "BC");
        generator.initialize(new ECGenParameterSpec("sm2p256v1"));
        KeyPair root = generator.generateKeyPair();
        KeyPair middle = generator.generateKeyPair();
        KeyPair leaf = generator.generateKeyPair();
        X500Name rootName = new X500Name("CN=BC 根,C=CN");
        X500Name middleName = new X500Name("CN=BC 中间,C=CN");
        byte[] rootDer = certificate(rootName, root, rootName, root, 1, at, true);
        byte[] middleDer = certificate(rootName, root, middleName, middle, 2, at, true);
        byte[] leafDer = certificate(middleName, middle, new X500Name("CN=BC 签章人,C=CN"), leaf, 3, at, false);
        X509v2CRLBuilder list = new X509v2CRLBuilder(middleName, new Date(at));
        list.setNextUpdate(new Date(at + 86_400_000L));
        list.addCRLEntry(BigInteger.valueOf(3), new Date(at), CRLReason.keyCompromise);
        byte[] listDer = list.build(signer(middle)).getEncoded();
        byte[] csr = new JcaPKCS10CertificationRequestBuilder(middleName, leaf.getPublic()).build(signer(leaf)).getEncoded();
        StringBuilder all = new StringBuilder();
        for (byte[] one : new byte[][] {rootDer, middleDer, leafDer, listDer, csr}) {
            all.append(Hex.toHexString(one)).append(' ');
        }
        return all.toString().trim();
    }

    private static byte[] certificate(
            X500Name issuer, KeyPair by, X500Name subject, KeyPair holder, long serial, long at, boolean ca) throws Exception {
        JcaX509v3CertificateBuilder builder = new JcaX509v3CertificateBuilder(
            issuer, BigInteger.valueOf(serial), new Date(at - 86_400_000L), new Date(at + 86_400_000L), subject,
            holder.getPublic());
        JcaX509ExtensionUtils utils = new JcaX509ExtensionUtils();
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(ca));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(
            ca ? KeyUsage.keyCertSign | KeyUsage.cRLSign : KeyUsage.digitalSignature | KeyUsage.nonRepudiation));
        builder.addExtension(Extension.subjectKeyIdentifier, false, utils.createSubjectKeyIdentifier(holder.getPublic()));
        builder.addExtension(Extension.authorityKeyIdentifier, false, utils.createAuthorityKeyIdentifier(by.getPublic()));
        X509CertificateHolder made = builder.build(signer(by));
        return made.getEncoded();
    }

    private static ContentSigner signer(KeyPair pair) throws Exception {
        return new JcaContentSignerBuilder("SM3WITHSM2").setProvider("BC").build(pair.getPrivate());
    }
}
