#!/usr/bin/env bash
# 示例客户端 A sample client: curl 与 openssl（3.0 以上）。用法 Usage: client.sh POST /platform/v1/cases case.json
# 环境变量 Environment (see README.md): TB_SCHEME（sm2 hmac tif jwt）TB_GATEWAY TB_APP TB_TO TB_SECRET_FILE TB_KEY_FILE
set -euo pipefail
method=$1 target=$2 file=${3:-/dev/null}
app=$TB_APP to=${TB_TO:-tongban} host=${TB_GATEWAY#*://}
host=${host%%/*} ms=$(date +%s%3N) nonce=$(openssl rand -hex 16)
path=${target%%\?*} query=
case $target in *\?*) query=${target#*\?} ;; esac
args=(-sS -X "$method" -H 'User-Agent:' -H 'Accept:' -w '\n%{http_code}\n')
type=
if [ "$file" != /dev/null ]; then type=application/json args+=(-H "Content-Type: $type" --data-binary "@$file"); fi

sm3() { openssl dgst -sm3 -r | cut -c1-64; }
b64u() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }
hex() { od -An -v -tx1 | tr -d ' \n'; }
unhex() { local text; text=$(cat); printf '%b' "$(sed 's/../\\x&/g' <<<"$text")"; }

# 请求各行 The request lines: 标签 label，然后 then 约定另加的 what the scheme adds
lines() {
    local label=$1 content_type=content-type
    shift
    [ -z "$type" ] || content_type="content-type:$type"
    printf '%s\n%s\n%s\n%s\n%s\n%s\ncontent-range\n%s' "$label" "$method" "${host,,}" "$path" "$query" "$content_type" "$(sm3 <"$file")"
    for one in "$@"; do printf '\n%s' "$one"; done
}

# HMAC-SM3，密钥不上命令行（进程表看得见）the key never stands on a command line, where everybody could read it
hmac_sm3() {
    local key inner outer
    key=$(tr -d '\r\n' <"$TB_SECRET_FILE" | hex)
    [ ${#key} -le 128 ] || key=$(unhex <<<"$key" | sm3)
    inner=$(padded "$key" 0x36) outer=$(padded "$key" 0x5c)
    { unhex <<<"$outer"; { unhex <<<"$inner"; cat; } | sm3 | unhex; } | sm3
}
padded() {
    local key=$1 mask=$2 out= place byte
    for ((place = 0; place < 64; place++)); do
        byte=${key:$((place * 2)):2}
        out+=$(printf '%02x' $((0x${byte:-00} ^ mask)))
    done
    echo "$out"
}

# SM2，默认签名者标识，r‖s（hex）SM2 with the default signer id
sm2_sign() {
    openssl pkeyutl -sign -rawin -digest sm3 -pkeyopt distid:1234567812345678 -inkey "$TB_KEY_FILE" |
        openssl asn1parse -inform DER | sed -n 's/.*INTEGER *:\([0-9A-F-]*\)$/\1/p' |
        while read -r number; do printf '%64s' "$number" | tr ' A-F' '0a-f'; done
}

case $TB_SCHEME in
sm2)
    signed=$(lines TONGBAN-SM2-V1 "$app" "$ms" "$nonce" | sm2_sign)
    args+=(-H "x-qk-appid: $app" -H "x-qk-timestamp: $ms" -H "x-qk-nonce: $nonce" -H "x-qk-sign: $signed")
    ;;
hmac)
    pairs=("appKey=$app" "nonce=$nonce" "requestDigest=$(lines TONGBAN-HMAC-V1 | sm3)" "timestamp=$ms")
    if [ -n "$query" ]; then
        IFS='&' read -ra more <<<"$query"
        for one in "${more[@]}"; do case $one in *=*) pairs+=("$one") ;; *) pairs+=("$one=") ;; esac done
    fi
    signed=$(printf '%s\n' "${pairs[@]}" | LC_ALL=C sort -t= -k1,1 | paste -sd '&' | tr -d '\n' | hmac_sm3)
    args+=(-H "x-wh-appkey: $app" -H "x-wh-timestamp: $ms" -H "x-wh-nonce: $nonce" -H "x-wh-sign: ${signed^^}")
    ;;
tif)
    seconds=${ms%???}
    family=$({ printf %s "$seconds"; tr -d '\r\n' <"$TB_SECRET_FILE"; printf %s "$nonce$seconds"; } | openssl dgst -sha256 -r | cut -c1-64)
    binding=$(lines TONGBAN-TIF-V1 "$app" "$seconds" "$nonce" | hmac_sm3)
    args+=(-H "x-tif-paasid: $app" -H "x-tif-timestamp: $seconds" -H "x-tif-nonce: $nonce" -H "x-tif-signature: $family" -H "x-tif-binding: $binding")
    ;;
jwt)
    seconds=${ms%???} request=$(lines TONGBAN-JWT-V1 | sm3)
    head=$(printf '{"alg":"SM2","typ":"JWT"}' | b64u)
    claims=$(printf '{"iss":"%s","aud":"%s","iat":%s,"exp":%s,"jti":"%s","req":"%s"}' "$app" "$to" "$seconds" $((seconds + 120)) "$nonce" "$request" | b64u)
    proof=$(printf %s "$head.$claims" | sm2_sign | unhex | b64u)
    args+=(-H "Authorization: Bearer $head.$claims.$proof")
    ;;
*) echo "TB_SCHEME: sm2 hmac tif jwt" >&2 && exit 64 ;;
esac
answer=$(curl "${args[@]}" "${TB_GATEWAY%/}$target")
echo "${answer##*$'\n'}"
echo "${answer%$'\n'*}"
case ${answer##*$'\n'} in 2*) exit 0 ;; *) exit 1 ;; esac
