import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1GeneralizedTime;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1Primitive;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.ASN1Set;
import org.bouncycastle.asn1.ASN1TaggedObject;
import org.bouncycastle.asn1.ASN1UTCTime;
import org.bouncycastle.util.encoders.Hex;

/** Reads DER as most Java programs do, one hex line each: every element is opened and every value is asked for. */
public final class ShapeTool {
    public static void main(String[] arguments) throws Exception {
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            String answer;
            try {
                open(ASN1Primitive.fromByteArray(Hex.decode(line.trim())));
                answer = "taken";
            } catch (Exception refused) {
                answer = "refused";
            }
            System.out.println(answer);
            System.out.flush();
        }
    }

    private static void open(ASN1Encodable element) throws Exception {
        if (element instanceof ASN1Sequence) {
            for (ASN1Encodable one : ((ASN1Sequence) element).toArray()) {
                open(one);
            }
        } else if (element instanceof ASN1Set) {
            for (ASN1Encodable one : ((ASN1Set) element).toArray()) {
                open(one);
            }
        } else if (element instanceof ASN1TaggedObject) {
            open(((ASN1TaggedObject) element).getBaseObject());
        } else if (element instanceof ASN1Integer) {
            ((ASN1Integer) element).getValue();
        } else if (element instanceof ASN1GeneralizedTime) {
            ((ASN1GeneralizedTime) element).getDate();
        } else if (element instanceof ASN1UTCTime) {
            ((ASN1UTCTime) element).getDate();
        }
    }
}
